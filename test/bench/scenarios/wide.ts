/** Many accounts with one candidate each, beside a thousand of them. */
import { drainAll, type Drained } from '../kernel/fleet.ts';
import { createAccounts, settleDown, submitAll } from '../kernel/load.ts';
import type { Scenario, ScenarioOptions } from '../kernel/scenario.ts';
import type { Stage } from '../kernel/stage.ts';

/** A thousand accounts are done within a second: the middle of so many runs counts. */
const fewRuns = 5;
const few = 1_000;

export const wide: Scenario = async (stage, options) => {
  const accounts = options.accounts ?? 100_000;
  options.say(`${few} accounts, ${fewRuns} times …`);
  const rates: number[] = [];
  for (let n = 0; n < fewRuns; n++) {
    rates.push((await drainWide(stage, options, few)).finalizations_per_s);
  }
  const ofFew = rates.toSorted((a, b) => a - b)[Math.floor(fewRuns / 2)] ?? 0;
  options.say(`${accounts} accounts …`);
  const drained = await drainWide(stage, options, accounts);
  return {
    accounts,
    candidates: accounts,
    ...drained,
    with_1000_accounts_per_s: ofFew,
    of_1000_accounts: Number((drained.finalizations_per_s / ofFew).toFixed(3)),
  };
};

async function drainWide(
  stage: Stage,
  options: ScenarioOptions,
  accounts: number,
): Promise<Drained> {
  const load = { accounts, each: 1, wakeQueue: options.queue };
  const run = await stage.openRun();
  await createAccounts(run.sql, load);
  await submitAll(run.sql, load);
  await settleDown(run.sql);
  const drained = await drainAll(stage, run, options, accounts);
  await run.drop();
  return drained;
}
