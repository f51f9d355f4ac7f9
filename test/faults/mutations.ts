/**
 * The mutation check: the lab has to report every broken kernel for what is broken in it, within a
 * few seeds, and has nothing to say about the healthy one under the same seed.
 */
import { judge } from './campaign.ts';
import { runSeed } from './lab.ts';
import { grounds, mutants, type GroundName } from './mutants.ts';
import type { ViolationKind } from './rules/violation.ts';
import { openStage, type Stage } from './stage.ts';

/** Seeds that a mutant may survive. */
const maxSeeds = 5;
/** Of mutants and controls: what a mutant shows does not depend on it, so that it can be short. */
const settleMs = 8_000;

export interface Finding {
  mutant: string;
  /** Seeds it took, or null when none of them showed what is broken. */
  seeds: number | null;
  /** Everything that the checker said, of the last seed. */
  kinds: ViolationKind[];
  /** What it said about the healthy kernel under that seed: nothing. */
  control: ViolationKind[];
}

export interface MutationSummary {
  mutations: Finding[];
  /** Mutants that no seed showed, and those whose control was not clean. */
  violations: number;
}

/** Runs of the healthy kernel, by ground and seed: mutants share them. */
export type Controls = Map<string, Promise<ViolationKind[]>>;

/** @param say takes a line for people. */
export async function runMutations(say: (line: string) => void): Promise<MutationSummary> {
  const stage = await openStage();
  const controls: Controls = new Map();
  const mutations: Finding[] = [];
  try {
    for (const name of Object.keys(mutants)) {
      const finding = await huntMutant(stage, name, controls);
      say(describe(finding));
      mutations.push(finding);
    }
  } finally {
    await stage.remove();
  }
  return { mutations, violations: mutations.filter((finding) => !isCaught(finding)).length };
}

export const isCaught = ({ seeds, control }: Finding): boolean =>
  seeds !== null && control.length === 0;

/** @param controls what was run already, and where a new control is added. */
export async function huntMutant(stage: Stage, name: string, controls: Controls): Promise<Finding> {
  const mutant = mutants[name];
  if (!mutant) throw new Error(`there is no mutant ${name}`);
  let kinds: ViolationKind[] = [];
  for (let seed = 1; seed <= maxSeeds; seed++) {
    kinds = await kindsOf(stage, mutant.on, seed, mutant.sql());
    if (!kinds.includes(mutant.shows)) continue;
    const control = controls.get(`${mutant.on}/${seed}`) ?? kindsOf(stage, mutant.on, seed);
    controls.set(`${mutant.on}/${seed}`, control);
    // being late alone can be the machine's fault
    const complaints = (await control).filter((kind) => kind !== 'late');
    return { mutant: name, seeds: seed, kinds, control: complaints };
  }
  return { mutant: name, seeds: null, kinds, control: [] };
}

async function kindsOf(
  stage: Stage,
  on: GroundName,
  seed: number,
  mutant?: string,
): Promise<ViolationKind[]> {
  const { scenario, queue } = grounds[on];
  const record = await runSeed(stage, { scenario, seed, queue, settleMs, mutant });
  return [...new Set(judge(record, scenario).violations.map(({ kind }) => kind))];
}

function describe(finding: Finding): string {
  const { mutant, seeds, kinds, control } = finding;
  const said = kinds.join(', ') || 'nothing';
  if (seeds === null)
    return `SURVIVED ${mutant}: ${mutants[mutant]?.shows} was not seen, ${said} was`;
  if (!isCaught(finding)) {
    return `UNSURE ${mutant}: without it seed ${seeds} shows ${control.join(', ')}`;
  }
  return `caught ${mutant} at seed ${seeds}: ${said}`;
}
