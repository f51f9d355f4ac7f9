/** Workers that are stopped on purpose and replaced under steady traffic. */
import { setTimeout as sleep } from 'node:timers/promises';
import { addWorker, openFleet, untilEffects } from '../kernel/fleet.ts';
import { createAccounts, judge, lockedRows, timing } from '../kernel/load.ts';
import { secret, type Scenario } from '../kernel/scenario.ts';
import type { Run } from '../kernel/stage.ts';
import { startTraffic } from '../kernel/traffic.ts';

const accounts = 200;
const perSecond = 100;
const stops = 8;
const calmMs = 5_000;
/** A new process is slow until its code is compiled and its connections are open. */
const warmMs = 3_000;
const afterStopMs = 1_000;

export const stop: Scenario = async (stage, given) => {
  const options = { ...given, workers: Math.max(2, given.workers) };
  const run = await stage.openRun();
  await createAccounts(run.sql, { accounts, each: 1, wakeQueue: options.queue });
  const fleet = await openFleet(run, options);
  // started beforehand: what a new process costs two cores is not what a stop costs
  const reserve = await Promise.all(
    Array.from({ length: stops }, () => addWorker(run, fleet.chain, options)),
  );
  await fleet.go();
  const traffic = startTraffic(run.sql, {
    accounts,
    perSecond,
    wakeQueue: options.queue,
    fromSeq: 1,
  });
  await sleep(2_000); // warm-up
  const calmSince = await fleet.now();
  await sleep(calmMs);
  const calm = await timing(run.sql, calmSince);
  const since = await fleet.now();
  const stopMs: number[] = [];
  const starts: Date[] = [];
  const ends: Date[] = [];
  for (const next of reserve) {
    starts.push(await fleet.now());
    next.send('go');
    await sleep(warmMs);
    const old = fleet.workers.shift();
    ends.push(await fleet.now());
    const at = performance.now();
    await old?.end('SIGTERM');
    stopMs.push(performance.now() - at);
    fleet.workers.push(next);
    await sleep(afterStopMs);
  }
  const submitted = await traffic.end();
  await untilEffects(run, submitted);
  const calls = await fleet.chain.calls();
  await fleet.stop();
  const during = await timing(run.sql, since);
  const afterStarts = await slowest(run, starts);
  const afterStops = await slowest(run, ends);
  const verdict = await judge(run.sql, secret);
  const left = await lockedRows(run.sql);
  await run.drop();
  return {
    accounts,
    candidates: submitted,
    stops,
    workers: options.workers,
    ...during,
    ...verdict,
    chain_calls_per_finalization: Number((calls / submitted).toFixed(4)),
    calm_p50_ms: calm.p50_ms,
    calm_p99_ms: calm.p99_ms,
    calm_max_ms: calm.max_ms,
    after_a_start_p99_ms: afterStarts.p99,
    after_a_start_max_ms: afterStarts.max,
    after_a_stop_p99_ms: afterStops.p99,
    after_a_stop_max_ms: afterStops.max,
    after_a_stop_of_calm: Number((afterStops.p99 / calm.p99_ms).toFixed(2)),
    slowest_stop_ms: Number(Math.max(...stopMs).toFixed(0)),
    locked_rows_left: left,
  };
};

/** Latency of the candidates that were there at these moments or came in half a second after. */
async function slowest(run: Run, moments: Date[]): Promise<{ p99: number; max: number }> {
  const [row] = await run.sql<{ p99: number; max: number }[]>`
    select percentile_cont(0.99) within group (order by ms) as p99, max(ms)::float8 as max
    from (
      select extract(epoch from e.at - c.submitted_at) * 1000 as ms
      from unnest(${moments.map((moment) => moment.toISOString())}::text[]::timestamptz[]) moment
      join canonry.candidate c
        -- a tenth of a second before: what was at work when the moment came
        on c.submitted_at between moment - interval '0.1 seconds' and moment + interval '0.5 seconds'
      join bench.effect e using (candidate_id)
    ) near`;
  return { p99: Number(row?.p99.toFixed(2)), max: Number(row?.max.toFixed(2)) };
}
