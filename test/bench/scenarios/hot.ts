/** One account with a long line among neighbours with steady traffic. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet, untilEffects } from '../kernel/fleet.ts';
import { createAccounts, judge, latencies, timing, type Timing } from '../kernel/load.ts';
import { secret, type Scenario, type ScenarioOptions } from '../kernel/scenario.ts';
import { queueName } from '../kernel/settle.ts';
import type { Run } from '../kernel/stage.ts';
import { startTraffic } from '../kernel/traffic.ts';
import { quantile } from '../report.ts';

const neighbours = 200;
const neighbourCandidatesPerSecond = 100;
const hotCandidates = 5_000;
/**
 * In turns, alone and beside the hot account, so that what slows the machine down for a while does
 * not always hit the same one; one drain lasts a second, too short for a p99 of the neighbours.
 */
const rounds = 6;
/** About as long as a drain of the hot account takes: samples of equal size. */
const aloneMs = 1_300;
/** The hot account is the one after the neighbours. */
const hot = neighbours + 1;

/** Of the long line: looked up at once, written together. */
const ahead = 25;

export const hotAccount: Scenario = async (stage, given) => {
  const options = { ...given, ahead: given.ahead ?? ahead };
  const run = await stage.openRun();
  await createAccounts(run.sql, { accounts: hot, each: 1, wakeQueue: options.queue });
  const fleet = await openFleet(run, options);
  await fleet.go();
  await neighboursFor(run, options, 1, () => sleep(1_000)); // warm-up
  const alone: number[] = [];
  const beside: number[] = [];
  const drains: Timing[] = [];
  for (let round = 1; round <= rounds; round++) {
    options.say(`round ${round} of ${rounds} …`);
    const quiet = await neighboursFor(run, options, round * 1_000, () => sleep(aloneMs));
    alone.push(...quiet.ms);
    await layLine(run, round);
    const busy = await neighboursFor(run, options, round * 1_000 + 500, () =>
      drainHot(run, options, round),
    );
    beside.push(...busy.ms);
    drains.push(await timing(run.sql, busy.since, `a${hot}`));
  }
  const calls = await fleet.chain.calls();
  await fleet.stop();
  const [row] = await run.sql<{ n: number }[]>`select count(*)::int as n from bench.effect`;
  const verdict = await judge(run.sql, options.batch ? null : secret);
  await run.drop();
  return {
    accounts: hot,
    ahead: options.ahead,
    rounds,
    candidates: row?.n ?? 0,
    ...middle(drains),
    ...verdict,
    chain_calls_per_finalization: Number((calls / (row?.n ?? 1)).toFixed(4)),
    ...compared(alone, beside),
  };
};

/** The drain of the median rate. */
function middle(drains: Timing[]): Timing | undefined {
  return drains.toSorted((a, b) => a.finalizations_per_s - b.finalizations_per_s)[
    Math.floor((drains.length - 1) / 2)
  ];
}

function compared(alone: number[], beside: number[]) {
  const quiet = quantiles(alone);
  const busy = quantiles(beside);
  const shown = (ms: number) => Number(ms.toFixed(2));
  return {
    neighbours_alone_p99_ms: shown(quiet.p99),
    neighbours_beside_p99_ms: shown(busy.p99),
    neighbours_ratio: shown(busy.p99 / quiet.p99),
    neighbours_alone_p50_ms: shown(quiet.p50),
    neighbours_beside_p50_ms: shown(busy.p50),
    neighbours_samples: Math.min(alone.length, beside.length),
  };
}

function quantiles(sample: number[]): { p50: number; p99: number } {
  const sorted = sample.toSorted((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

/** Latencies in ms of the neighbours' candidates while `work` goes on. */
async function neighboursFor(
  run: Run,
  options: ScenarioOptions,
  fromSeq: number,
  work: () => Promise<void>,
): Promise<{ since: Date; ms: number[] }> {
  const [row] = await run.sql<{ now: Date }[]>`select clock_timestamp() as now`;
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
  return { since, ms: await latencies(run.sql, since, 'a%', `a${hot}`) };
}

/**
 * The hot account's candidates, before its neighbours are looked at: 5 000 submissions at once keep
 * a processor for a fifth of a second, whatever drains them. What submitting costs is `ingest`.
 */
async function layLine(run: Run, round: number): Promise<void> {
  const through = round * hotCandidates;
  await run.sql`select bench.lay_line(${`a${hot}`}, ${through - hotCandidates + 1}, ${through})`;
}

/** Wakes the line, and waits for its end. */
async function drainHot(run: Run, options: ScenarioOptions, round: number): Promise<void> {
  await run.sql`select canonry.wake('settle', ${`a${hot}`}, ${queueName(`a${hot}`, options.queue)},
    null, 'preserve_run_at')`;
  for (;;) {
    const [row] = await run.sql<{ n: number }[]>`
      select finalized::int as n from bench.account where account = ${`a${hot}`}`;
    if ((row?.n ?? 0) >= round * hotCandidates) return;
    await sleep(20);
  }
}
