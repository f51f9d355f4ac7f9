/** Accepted to canonical on an idle system: one candidate at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet, untilEffects } from '../kernel/fleet.ts';
import { createAccounts, judge, submitOne, timing } from '../kernel/load.ts';
import { secret, type Scenario } from '../kernel/scenario.ts';

const samples = 500;
const accounts = 100;
/** Between two candidates: long enough that the one before is done and all is idle again. */
const pauseMs = 20;

export const latency: Scenario = async (stage, options) => {
  const run = await stage.openRun();
  await createAccounts(run.sql, { accounts, each: 1, wakeQueue: options.queue });
  const fleet = await openFleet(run, options);
  await fleet.go();
  // the first candidates find cold plans and no lines
  const warmUp = 2 * accounts;
  let since = new Date(0);
  for (let n = 0; n < warmUp + samples; n++) {
    if (n === warmUp) since = await fleet.now();
    await submitOne(run.sql, (n % accounts) + 1, n, options.queue);
    await sleep(pauseMs + options.latencyMs);
  }
  await untilEffects(run, warmUp + samples);
  const calls = await fleet.chain.calls();
  await fleet.stop();
  const { finalizations_per_s, p50_ms, p99_ms, max_ms } = await timing(run.sql, since);
  const verdict = await judge(run.sql, secret);
  await run.drop();
  const above = (ms: number) => Number((ms - options.latencyMs).toFixed(2));
  return {
    accounts,
    candidates: samples,
    finalizations_per_s,
    p50_ms: above(p50_ms),
    p99_ms: above(p99_ms),
    max_ms: above(max_ms),
    ...verdict,
    chain_calls_per_finalization: calls / (warmUp + samples),
    meaning: 'from the start of the submitting transaction to the effect, less the chain latency',
  };
};
