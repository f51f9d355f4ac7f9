/** One account with a long line among neighbours with steady traffic. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet, untilEffects } from '../kernel/fleet.ts';
import { createAccounts, judge, timing } from '../kernel/load.ts';
import { secret, type Scenario, type ScenarioOptions } from '../kernel/scenario.ts';
import type { Run } from '../kernel/stage.ts';
import { startTraffic } from '../kernel/traffic.ts';

const neighbours = 200;
const neighbourCandidatesPerSecond = 100;
const hotCandidates = 5_000;
const aloneMs = 5_000;
/** The hot account is the one after the neighbours. */
const hot = neighbours + 1;

/** Of the long line: looked up at once, written together. */
const ahead = 20;

export const hotAccount: Scenario = async (stage, given) => {
  const options = { ...given, ahead: given.ahead ?? ahead };
  const run = await stage.openRun();
  await createAccounts(run.sql, { accounts: hot, each: 1, wakeQueue: options.queue });
  const fleet = await openFleet(run, options);
  await fleet.go();
  options.say('neighbours alone …');
  await neighboursFor(run, options, 1, () => sleep(1_000)); // warm-up
  const alone = await neighboursFor(run, options, 1_000, () => sleep(aloneMs));
  options.say('neighbours and the hot account …');
  const beside = await neighboursFor(run, options, 2_000, () => drainHot(run, options));
  const hotTiming = await timing(run.sql, beside.since, `a${hot}`);
  const calls = await fleet.chain.calls();
  await fleet.stop();
  const [row] = await run.sql<{ n: number }[]>`select count(*)::int as n from bench.effect`;
  const verdict = await judge(run.sql, options.batch ? null : secret);
  await run.drop();
  return {
    accounts: hot,
    ahead: options.ahead,
    candidates: row?.n ?? 0,
    ...hotTiming,
    ...verdict,
    chain_calls_per_finalization: Number((calls / (row?.n ?? 1)).toFixed(4)),
    neighbours_alone_p99_ms: alone.p99_ms,
    neighbours_beside_p99_ms: beside.p99_ms,
    neighbours_ratio: Number((beside.p99_ms / alone.p99_ms).toFixed(2)),
    neighbours_alone_p50_ms: alone.p50_ms,
    neighbours_beside_p50_ms: beside.p50_ms,
  };
};

/** Latency of the neighbours' candidates while `work` goes on. */
async function neighboursFor(
  run: Run,
  options: ScenarioOptions,
  fromSeq: number,
  work: () => Promise<void>,
): Promise<{ since: Date; p50_ms: number; p99_ms: number }> {
  const [row] = await run.sql<{ now: Date; effects: number }[]>`
    select clock_timestamp() as now, (select count(*)::int from bench.effect) as effects`;
  const traffic = startTraffic(run.sql, {
    accounts: neighbours,
    perSecond: neighbourCandidatesPerSecond,
    wakeQueue: options.queue,
    fromSeq,
  });
  await work();
  await traffic.end();
  const since = row?.now ?? new Date();
  const [waiting] = await run.sql<{ n: number }[]>`select count(*)::int as n from bench.payment`;
  await untilEffects(run, waiting?.n ?? 0);
  const { p50_ms, p99_ms } = await timing(run.sql, since, 'a%', `a${hot}`);
  return { since, p50_ms, p99_ms };
}

/** Submits the hot account's candidates in one transaction, and waits for them. */
async function drainHot(run: Run, options: ScenarioOptions): Promise<void> {
  await run.sql`select count(bench.submit(${`a${hot}`}, n,
      case when ${options.queue === 'account'} then ${`account:a${hot}`} end))
    from generate_series(1, ${hotCandidates}::int) n`;
  for (;;) {
    const [row] = await run.sql<{ n: number }[]>`
      select finalized::int as n from bench.account where account = ${`a${hot}`}`;
    if ((row?.n ?? 0) >= hotCandidates) return;
    await sleep(20);
  }
}
