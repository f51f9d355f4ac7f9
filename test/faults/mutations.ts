/** The mutation check: the lab has to report every broken kernel, and does so within a few seeds. */
import { judge } from './campaign.ts';
import { runSeed } from './lab.ts';
import { mutants } from './mutants.ts';
import type { ViolationKind } from './rules/violation.ts';
import { openStage, type Stage } from './stage.ts';

/** Seeds that a mutant may survive. */
const maxSeeds = 5;
/** What is not canonical by then is lost; the healthy kernel takes about a second. */
const settleMs = 4_000;

export interface Finding {
  mutant: string;
  /** Seeds it took, or null when none of them noticed. */
  seeds: number | null;
  kinds: ViolationKind[];
}

export interface MutationSummary {
  mutations: Finding[];
  /** Mutants that no seed noticed. */
  violations: number;
}

/** @param say takes a line for people. */
export async function runMutations(say: (line: string) => void): Promise<MutationSummary> {
  const stage = await openStage();
  const mutations: Finding[] = [];
  try {
    for (const name of Object.keys(mutants)) {
      const finding = await huntMutant(stage, name);
      const { seeds, kinds } = finding;
      say(
        seeds === null
          ? `SURVIVED ${name}`
          : `caught ${name} at seed ${seeds}: ${kinds.join(', ')}`,
      );
      mutations.push(finding);
    }
  } finally {
    await stage.remove();
  }
  return { mutations, violations: mutations.filter(({ seeds }) => seeds === null).length };
}

export async function huntMutant(stage: Stage, name: string): Promise<Finding> {
  const mutant = mutants[name];
  if (!mutant) throw new Error(`there is no mutant ${name}`);
  const { scenario } = mutant;
  for (let seed = 1; seed <= maxSeeds; seed++) {
    const record = await runSeed(stage, {
      scenario,
      seed,
      queue: 'account',
      settleMs,
      mutant: mutant.sql(),
    });
    const { violations } = judge(record, scenario);
    const kinds = [...new Set(violations.map(({ kind }) => kind))];
    // being late alone can be the machine's fault
    if (kinds.some((kind) => kind !== 'late')) return { mutant: name, seeds: seed, kinds };
  }
  return { mutant: name, seeds: null, kinds: [] };
}
