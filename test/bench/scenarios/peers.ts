/** The same ordered work on the kernel, on plain named queues and on pg-boss, in one run. */
import { drainAll, type Drained } from '../kernel/fleet.ts';
import { createAccounts, settleDown, submitAll } from '../kernel/load.ts';
import { drainPeer, type Peer } from '../kernel/peers.ts';
import type { Fields, Scenario } from '../kernel/scenario.ts';

const loads = [
  { name: '1000', accounts: 1_000, each: 10 },
  { name: '10000', accounts: 10_000, each: 1 },
  { name: '100000', accounts: 100_000, each: 1 },
  { name: 'hot', accounts: 1, each: 5_000 },
];
const others: Peer[] = ['graphile-worker', 'pg-boss'];

/** A peer that has not finished by then is judged by what it has done. */
const peerMs = 20_000;

export const peers: Scenario = async (stage, options) => {
  const fields: Fields = {};
  let candidates = 0;
  let largest = 0;
  let first: Drained | undefined;
  const sums = { order_violations: 0, lost: 0, duplicates: 0 };
  for (const { name, accounts, each } of loads) {
    if (options.accounts !== undefined && accounts > options.accounts) continue;
    const load = { accounts, each, wakeQueue: options.queue };
    options.say(`${accounts} x ${each}: canonry …`);
    const run = await stage.openRun();
    await createAccounts(run.sql, load);
    await submitAll(run.sql, load);
    await settleDown(run.sql);
    // a long line is looked up ahead; a short one candidate by candidate
    const ahead = options.ahead ?? (accounts === 1 ? 20 : 1);
    const own = await drainAll(stage, run, { ...options, ahead }, accounts * each);
    await run.drop();
    first ??= own;
    candidates += accounts * each;
    largest = Math.max(largest, accounts);
    sums.order_violations += own.order_violations;
    sums.lost += own.lost;
    sums.duplicates += own.duplicates;
    fields[`canonry_${name}_per_s`] = own.finalizations_per_s;
    for (const peer of others) {
      options.say(`${accounts} x ${each}: ${peer} …`);
      const result = await drainPeer(stage, peer, load, options, peerMs);
      const key = peer.replace('-', '_');
      fields[`${key}_${name}_per_s`] = result.finalizations_per_s;
      fields[`${key}_${name}_order_violations`] = result.order_violations;
    }
  }
  if (!first) throw new Error('--accounts leaves no load to run');
  const { finalizations_per_s, p50_ms, p99_ms, max_ms, chain_calls_per_finalization } = first;
  return {
    accounts: largest,
    candidates,
    finalizations_per_s,
    p50_ms,
    p99_ms,
    max_ms,
    ...sums,
    chain_calls_per_finalization,
    meaning: 'rate and latency without a name are those of Canonry with 1 000 accounts',
    ...fields,
  };
};
