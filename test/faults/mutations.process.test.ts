/** The checker has teeth: every kernel that is broken on purpose is noticed within a few seeds. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mutants } from './mutants.ts';
import { huntMutant } from './mutations.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.remove());

const broken = Object.entries(mutants).map(([name, { breaks }]) => [name, breaks] as const);

it.each(broken)('%s (breaks %s)', { timeout: 180_000 }, async (name) => {
  const { seeds, kinds } = await huntMutant(stage, name);
  expect(seeds, kinds.join(', ')).not.toBeNull();
});
