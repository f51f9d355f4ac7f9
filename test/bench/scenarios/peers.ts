/** The same ordered work on the kernel, on plain named queues and on pg-boss, in one run. */
import { drainAll, type Drained } from '../kernel/fleet.ts';
import { createAccounts, settleDown, submitAll, type Load } from '../kernel/load.ts';
import { drainPeer, type Peer, type PeerResult } from '../kernel/peers.ts';
import type { Fields, Scenario, ScenarioOptions } from '../kernel/scenario.ts';
import type { Stage } from '../kernel/stage.ts';

const loads = [
  { name: '1000', accounts: 1_000, each: 10 },
  { name: '10000', accounts: 10_000, each: 1 },
  { name: '100000', accounts: 100_000, each: 1 },
  { name: 'hot', accounts: 1, each: 5_000 },
];
const others: Peer[] = ['graphile-worker', 'pg-boss'];

/** A peer that has not finished by then is judged by what it has done. */
const peerMs = 20_000;

/** What is said of each engine and load, Canonry's included. */
const said = [
  'order_violations',
  'lost',
  'duplicates',
  'p50_ms',
  'p99_ms',
  'max_ms',
] as const satisfies (keyof PeerResult & keyof Drained)[];

export const peers: Scenario = async (stage, options) => {
  const fields: Fields = {};
  let first: Fields | undefined;
  const sums = { order_violations: 0, lost: 0, duplicates: 0, without_answer: 0 };
  const say = (key: string, result: PeerResult | Drained) => {
    fields[`${key}_per_s`] = result.finalizations_per_s;
    for (const name of said) fields[`${key}_${name}`] = result[name];
  };
  for (const { name, accounts, each } of loads) {
    if (options.accounts !== undefined && accounts > options.accounts) continue;
    const load = { accounts, each, wakeQueue: options.queue };
    options.say(`${accounts} x ${each}: canonry …`);
    const own = await drainOwn(stage, load, options);
    say(`canonry_${name}`, own);
    first ??= {
      accounts,
      candidates: own.finalized,
      ...own,
      meaning: `what has no name is of Canonry with ${accounts} accounts x ${each}; of order_violations, lost, duplicates and without_answer it is the sum over its loads`,
    };
    for (const fault of Object.keys(sums) as (keyof typeof sums)[]) sums[fault] += own[fault];
    for (const peer of others) {
      options.say(`${accounts} x ${each}: ${peer} …`);
      const result = await drainPeer(stage, peer, load, options, peerMs);
      const key = `${peer.replace('-', '_')}_${name}`;
      say(key, result);
      fields[`${key}_unfinished`] = result.unfinished;
    }
  }
  return { ...first, ...sums, ...fields };
};

async function drainOwn(stage: Stage, load: Load, options: ScenarioOptions): Promise<Drained> {
  const run = await stage.openRun();
  await createAccounts(run.sql, load);
  await submitAll(run.sql, load);
  await settleDown(run.sql);
  // a long line is looked up ahead; a short one candidate by candidate
  const ahead = options.ahead ?? (load.accounts === 1 ? 20 : 1);
  const drained = await drainAll(stage, run, { ...options, ahead }, load.accounts * load.each);
  await run.drop();
  return drained;
}
