/** Workers and a chain on a run's database, and the wait until all is done. */
import { setTimeout as sleep } from 'node:timers/promises';
import { judge, timing, type Timing, type Verdict } from './load.ts';
import {
  cpuSeconds,
  startChain,
  startWorkerProcess,
  type BenchProcess,
  type Chain,
} from './processes.ts';
import { secret, type ScenarioOptions } from './scenario.ts';
import type { Run, Stage } from './stage.ts';

export interface Fleet {
  chain: Chain;
  workers: BenchProcess[];
  /** Lets the workers begin, the first time or after a pause; the database's time of it. */
  go(): Promise<Date>;
  /** Stops the workers' work and keeps their processes: what is compiled stays compiled. */
  pause(): Promise<void>;
  /** The database's clock. */
  now(): Promise<Date>;
  stop(): Promise<void>;
}

/** Chain and workers, connected and waiting for `go`. */
export async function openFleet(run: Run, options: ScenarioOptions): Promise<Fleet> {
  const chain = await startChain(secret, options.latencyMs);
  const workers = await Promise.all(
    Array.from({ length: options.workers }, () => addWorker(run, chain, options)),
  );
  const now = async () => {
    const [row] = await run.sql<{ now: Date }[]>`select clock_timestamp() as now`;
    if (!row) throw new Error('the database has no clock');
    return row.now;
  };
  return {
    chain,
    workers,
    now,
    async go() {
      const since = await now();
      await Promise.all(workers.map((worker) => tell(worker, 'go')));
      return since;
    },
    async pause() {
      await Promise.all(workers.map((worker) => tell(worker, 'pause')));
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
      await chain.close();
    },
  };
}

/** Waits for the worker's answer that it is done. */
async function tell(worker: BenchProcess, order: 'go' | 'pause'): Promise<void> {
  const answer = worker.hears();
  worker.send(order);
  await answer;
}

export function addWorker(run: Run, chain: Chain, options: ScenarioOptions): Promise<BenchProcess> {
  return startWorkerProcess({
    databaseUrl: run.url,
    chainPort: options.batch ? 0 : chain.port,
    wakeQueue: options.queue,
    concurrency: options.concurrency,
    ahead: options.ahead ?? 1,
    engine: options.engine,
    ...(options.connections ? { connections: options.connections } : {}),
  });
}

/** Waits until there are as many effects; throws when nothing moves for half a minute. */
export async function untilEffects(run: Run, wanted: number): Promise<void> {
  let seen = -1;
  let movedAt = Date.now();
  for (;;) {
    const [row] = await run.sql<{ n: bigint | null }[]>`
      select last_value as n from bench.effect_pos_seq where is_called`;
    const now = Number(row?.n ?? 0);
    if (now >= wanted) {
      // positions of rolled-back effects count too: ask the table once it may be complete
      const [exact] = await run.sql<{ n: bigint }[]>`select count(*) as n from bench.effect`;
      if (Number(exact?.n) >= wanted) return;
    }
    if (now !== seen) {
      seen = now;
      movedAt = Date.now();
    } else if (Date.now() - movedAt > 30_000) {
      throw new Error(`stuck at ${now} of ${wanted} effects`);
    }
    await sleep(50);
  }
}

export interface Cost {
  chain_calls_per_finalization: number;
  cpu_ms_per_finalization_postgres: number;
  cpu_ms_per_finalization_workers: number;
  cpu_ms_per_finalization_chain: number;
}

export interface Drained extends Timing, Verdict, Cost {}

/**
 * Lets waiting workers drain what has been submitted, and says what it took.
 *
 * @param effects there are in all when it is done.
 * @param candidates that it drains.
 */
export async function drain(
  stage: Stage,
  run: Run,
  fleet: Fleet,
  effects: number,
  candidates = effects,
): Promise<Timing & Cost> {
  const used = async () => ({
    calls: await fleet.chain.calls(),
    postgres: cpuSeconds(stage.serverPid),
    workers: fleet.workers.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
    chain: cpuSeconds(fleet.chain.pid),
  });
  const before = await used();
  const since = await fleet.go();
  await untilEffects(run, effects);
  const after = await used();
  const milliseconds = (name: keyof typeof before) =>
    Number((((after[name] - before[name]) * 1000) / candidates).toFixed(3));
  return {
    ...(await timing(run.sql, since)),
    chain_calls_per_finalization: Number(((after.calls - before.calls) / candidates).toFixed(4)),
    cpu_ms_per_finalization_postgres: milliseconds('postgres'),
    cpu_ms_per_finalization_workers: milliseconds('workers'),
    cpu_ms_per_finalization_chain: milliseconds('chain'),
  };
}

/** The same by workers of its own, and whether it was done right. */
export async function drainAll(
  stage: Stage,
  run: Run,
  options: ScenarioOptions,
  effects: number,
  candidates = effects,
): Promise<Drained> {
  const fleet = await openFleet(run, options);
  const drained = await drain(stage, run, fleet, effects, candidates);
  await fleet.stop();
  return { ...drained, ...(await judge(run.sql, options.batch ? null : secret)) };
}
