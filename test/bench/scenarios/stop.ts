/** Workers that are stopped on purpose and replaced under steady traffic. */
import { setTimeout as sleep } from 'node:timers/promises';
import { addWorker, openFleet, untilEffects } from '../kernel/fleet.ts';
import { createAccounts, judge, timing } from '../kernel/load.ts';
import { secret, type Scenario } from '../kernel/scenario.ts';
import { startTraffic } from '../kernel/traffic.ts';

const accounts = 200;
const perSecond = 100;
const stops = 10;
const calmMs = 5_000;

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
  for (const next of reserve) {
    const started = next.hears();
    next.send('go');
    await started;
    await sleep(300);
    const old = fleet.workers.shift();
    const at = performance.now();
    await old?.end('SIGTERM');
    stopMs.push(performance.now() - at);
    fleet.workers.push(next);
    await sleep(300);
  }
  const submitted = await traffic.end();
  await untilEffects(run, submitted);
  const calls = await fleet.chain.calls();
  await fleet.stop();
  const during = await timing(run.sql, since);
  const verdict = await judge(run.sql, secret);
  const [left] = await run.sql<{ n: number }[]>`
    select ((select count(*) from graphile_worker._private_jobs where locked_by is not null)
      + (select count(*) from canonry.line where holder is not null))::int as n`;
  await run.drop();
  return {
    accounts,
    candidates: submitted,
    stops,
    ...during,
    ...verdict,
    chain_calls_per_finalization: Number((calls / submitted).toFixed(4)),
    calm_p50_ms: calm.p50_ms,
    calm_p99_ms: calm.p99_ms,
    calm_max_ms: calm.max_ms,
    slowest_stop_ms: Number(Math.max(...stopMs).toFixed(0)),
    locked_rows_left: left?.n ?? 0,
  };
};
