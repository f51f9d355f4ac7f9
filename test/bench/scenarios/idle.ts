/** What accounts that were active once and are quiet now cost: `many` with and without them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { drainAll, openFleet, untilEffects } from '../kernel/fleet.ts';
import { createAccounts, settleDown, submitAll } from '../kernel/load.ts';
import type { Scenario, ScenarioOptions } from '../kernel/scenario.ts';
import type { Run, Stage } from '../kernel/stage.ts';

const active = { accounts: 1_000, each: 20 };
const rounds = 3;
/** For the removal of idle queue rows. */
const longestWaitMs = 300_000;

export const idle: Scenario = async (stage, options) => {
  const quiet = options.accounts ?? 100_000;
  options.say(`${quiet} accounts become active once …`);
  const old = await stage.openRun();
  const { queuesLeft, seconds } = await makeQuiet(old, options, quiet);
  const fresh = await stage.openRun();
  const rates: Record<'with' | 'without', number[]> = { with: [], without: [] };
  let last: Awaited<ReturnType<typeof drainMany>> | undefined;
  for (let round = 0; round < rounds; round++) {
    options.say(`round ${round + 1} of ${rounds} …`);
    const from = quiet + 1 + round * active.accounts;
    rates.without.push((await drainMany(stage, fresh, options, from, round)).rate);
    last = await drainMany(stage, old, options, from, round, quiet);
    rates.with.push(last.rate);
  }
  await Promise.all([old.drop(), fresh.drop()]);
  const middle = (values: number[]) => values.toSorted((a, b) => a - b)[1] ?? 0;
  return {
    accounts: active.accounts,
    candidates: active.accounts * active.each,
    idle_accounts: quiet,
    ...last?.drained,
    // the quiet accounts were made so in batches, without look-ups
    without_answer: (last?.drained.without_answer ?? quiet) - quiet,
    without_idle_per_s: middle(rates.without),
    with_idle_per_s: middle(rates.with),
    with_of_without: Number((middle(rates.with) / middle(rates.without)).toFixed(3)),
    queue_rows_left: queuesLeft,
    queue_rows_gone_after_s: seconds,
  };
};

/** Every account has one candidate finalized; then its idle queue rows are given time to go. */
async function makeQuiet(
  run: Run,
  options: ScenarioOptions,
  accounts: number,
): Promise<{ queuesLeft: number; seconds: number }> {
  const load = { accounts, each: 1, wakeQueue: options.queue };
  await createAccounts(run.sql, load);
  await submitAll(run.sql, load);
  const fleet = await openFleet(run, { ...options, batch: true });
  await fleet.go();
  await untilEffects(run, accounts);
  const done = performance.now();
  let queuesLeft = await queueRows(run);
  while (queuesLeft > 0 && performance.now() - done < longestWaitMs) {
    await sleep(500);
    queuesLeft = await queueRows(run);
  }
  const seconds = Number(((performance.now() - done) / 1_000).toFixed(1));
  await fleet.stop();
  await settleDown(run.sql);
  return { queuesLeft, seconds };
}

async function drainMany(
  stage: Stage,
  run: Run,
  options: ScenarioOptions,
  from: number,
  round: number,
  before = 0,
) {
  const load = { ...active, wakeQueue: options.queue, from };
  await createAccounts(run.sql, load);
  await submitAll(run.sql, load);
  await settleDown(run.sql);
  const candidates = active.accounts * active.each;
  const drained = await drainAll(
    stage,
    run,
    options,
    before + (round + 1) * candidates,
    candidates,
  );
  return { drained, rate: drained.finalizations_per_s };
}

async function queueRows(run: Run): Promise<number> {
  const [row] = await run.sql<{ n: number }[]>`
    select count(*)::int as n from graphile_worker._private_job_queues`;
  return row?.n ?? 0;
}
