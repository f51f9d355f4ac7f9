/** Many accounts with some candidates each, and the same SQL driven plainly beside it. */
import { drainAll } from '../kernel/fleet.ts';
import { createAccounts, settleDown, submitAll } from '../kernel/load.ts';
import { drivePlainly } from '../kernel/plain.ts';
import type { Scenario } from '../kernel/scenario.ts';

export const many: Scenario = async (stage, options) => {
  const load = { accounts: options.accounts ?? 1_000, each: 20, wakeQueue: options.queue };
  const candidates = load.accounts * load.each;
  const prepared = async () => {
    const run = await stage.openRun();
    await createAccounts(run.sql, load);
    await submitAll(run.sql, load);
    await settleDown(run.sql);
    return run;
  };
  options.say('the same SQL plainly …');
  const bare = await prepared();
  const plainly = await drivePlainly(
    bare.url,
    load,
    options.concurrency * options.workers,
    options.batch,
  );
  await bare.drop();
  options.say('workers and chain …');
  const run = await prepared();
  const drained = await drainAll(stage, run, options, candidates);
  await run.drop();
  return {
    accounts: load.accounts,
    candidates,
    ...drained,
    plainly_per_s: plainly,
    of_plainly: Number((drained.finalizations_per_s / plainly).toFixed(3)),
  };
};
