/**
 * A worker is killed while it waits for the chain in ten accounts; another one is there, or several.
 * The time from the kill until each of those accounts is canonical.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { addWorker, untilEffects } from '../kernel/fleet.ts';
import { createAccounts, judge, lockedRows, submitAll } from '../kernel/load.ts';
import { startChain } from '../kernel/processes.ts';
import { secret, type Scenario, type ScenarioOptions } from '../kernel/scenario.ts';
import type { Run } from '../kernel/stage.ts';

const kills = 30;
/** Kills that go on at the same time, each in a database of its own. */
const lanes = 5;
const accounts = 10;
/** Holds the victim in the middle of its jobs; the survivor is answered at once. */
const holdMs = 60_000;

export const recovery: Scenario = async (stage, options) => {
  const runs = await Promise.all(Array.from({ length: lanes }, () => stage.openRun()));
  const times: number[] = [];
  let calls = 0;
  const started = performance.now();

  await Promise.all(
    runs.map(async (run) => {
      await createAccounts(run.sql, { accounts, each: 1, wakeQueue: options.queue });
      for (let round = 1; round <= kills / lanes; round++) {
        const { ms, looked } = await killOnce(run, options, round);
        times.push(...ms);
        calls += looked;
        options.say(
          `${times.length / accounts} kills, slowest ${Math.max(...times).toFixed(0)} ms`,
        );
      }
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  const verdicts = await Promise.all(runs.map((run) => judge(run.sql, secret)));
  const left = await Promise.all(runs.map((run) => lockedRows(run.sql)));
  await Promise.all(runs.map((run) => run.drop()));
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q: number) => Number((sorted[Math.floor(q * (sorted.length - 1))] ?? 0).toFixed(0));
  const sum = (name: keyof (typeof verdicts)[number]) =>
    verdicts.reduce((total, verdict) => total + verdict[name], 0);
  return {
    accounts: accounts * lanes,
    candidates: times.length,
    kills,
    // the one that is killed and those that take over
    workers: 1 + survivorsOf(options),
    finalizations_per_s: Number((times.length / seconds).toPrecision(3)),
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    max_ms: at(1),
    order_violations: sum('order_violations'),
    lost: sum('lost'),
    duplicates: sum('duplicates'),
    without_answer: sum('without_answer'),
    chain_calls_per_finalization: Number((calls / times.length).toFixed(3)),
    locked_rows_left: left.reduce((total, n) => total + n, 0),
  };
};

/** Of the workers that were asked for, one is killed. */
const survivorsOf = ({ workers }: ScenarioOptions) => Math.max(workers - 1, 1);

/** @returns for each account the milliseconds from the kill to its effect. */
async function killOnce(
  run: Run,
  options: ScenarioOptions,
  round: number,
): Promise<{ ms: number[]; looked: number }> {
  const chain = await startChain(secret, holdMs);
  const victim = await addWorker(run, chain, options);
  const survivors = await Promise.all(
    Array.from({ length: survivorsOf(options) }, () => addWorker(run, chain, options)),
  );
  await submitAll(run.sql, { accounts, each: 1, wakeQueue: options.queue }, round);
  victim.send('go');
  while ((await chain.calls()) < accounts) await sleep(10);
  await chain.setLatency(0);
  await Promise.all(
    survivors.map((survivor) => {
      const started = survivor.hears();
      survivor.send('go');
      return started;
    }),
  );
  // kills fall at any point of the survivors' heartbeats
  await sleep(1_000 + Math.random() * 1_000);
  const [killed] = await run.sql<{ at: Date }[]>`select clock_timestamp() as at`;
  await victim.end('SIGKILL');
  await untilEffects(run, round * accounts);
  const rows = await run.sql<{ ms: number }[]>`
    select (extract(epoch from at - ${killed?.at ?? new Date()}) * 1000)::float8 as ms
    from bench.effect order by pos desc limit ${accounts}`;
  const looked = await chain.calls();
  await Promise.all(survivors.map((survivor) => survivor.end('SIGTERM')));
  await chain.close();
  return { ms: rows.map((row) => row.ms), looked };
}
