/** Many accounts with one candidate each, beside a thousand of them. */
import { drainAll } from '../kernel/fleet.ts';
import { createAccounts, settleDown, submitAll } from '../kernel/load.ts';
import type { Fields, Scenario, ScenarioOptions } from '../kernel/scenario.ts';
import type { Stage } from '../kernel/stage.ts';

export const wide: Scenario = async (stage, options) => {
  const accounts = options.accounts ?? 100_000;
  options.say(`${accounts} accounts …`);
  return { accounts, candidates: accounts, ...(await drainWide(stage, options, accounts)) };
};

async function drainWide(
  stage: Stage,
  options: ScenarioOptions,
  accounts: number,
): Promise<Fields> {
  const load = { accounts, each: 1, wakeQueue: options.queue };
  const run = await stage.openRun();
  await createAccounts(run.sql, load);
  await submitAll(run.sql, load);
  await settleDown(run.sql);
  const drained = await drainAll(stage, run, options, accounts);
  await run.drop();
  return { ...drained };
}
