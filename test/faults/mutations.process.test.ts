/**
 * The checker has teeth: every kernel that is broken on purpose is noticed within a few seeds, by the
 * kind of violation that its fault has to show; the healthy one is clean under the same seed.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mutants } from './mutants.ts';
import { huntMutant, type Controls, type Finding } from './mutations.ts';
import { openStage } from './stage.ts';

/** Hunts at the same time, each on a server of its own: most of a run is waiting. */
const lanes = 3;

const outcomes = new Map(
  Object.keys(mutants).map((name) => [name, Promise.withResolvers<Finding>()]),
);

const controls: Controls = new Map();

async function runLane(waiting: string[]): Promise<void> {
  const stage = await openStage();
  for (let name = waiting.shift(); name; name = waiting.shift()) {
    const { resolve, reject } = outcomes.get(name)!;
    await huntMutant(stage, name, controls).then(resolve, reject);
  }
  await stage.remove();
}

let running: Promise<unknown>;
beforeAll(() => {
  // a hunt that failed before its test asks is not unhandled
  for (const { promise } of outcomes.values()) promise.catch(() => {});
  const waiting = Object.keys(mutants);
  running = Promise.all(Array.from({ length: lanes }, () => runLane(waiting)));
});
afterAll(() => running, 120_000);

const broken = Object.entries(mutants).map(([name, { breaks, shows }]) => [name, breaks, shows]);

it.each(broken)('%s (breaks %s) shows %s', { timeout: 180_000 }, async (name) => {
  const { seeds, kinds, control } = await outcomes.get(name!)!.promise;
  expect(seeds, `only ${kinds.join(', ')}`).not.toBeNull();
  expect(control, `seed ${seeds} without the mutant`).toEqual([]);
});
