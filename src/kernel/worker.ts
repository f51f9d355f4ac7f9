import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger, run, type WorkerEvents } from 'graphile-worker';
import type { GraphileConfig } from 'graphile-config';
import type { Pool } from 'pg';
import { fileURLToPath } from 'node:url';
import type { Database } from '../database/connect.ts';
import { kernelLimits } from '../limits.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { fetchSizePlugin } from './fetch-plugin.ts';
import type { Liveness } from './liveness.ts';

export interface Worker {
  /** Finishes what runs, hands the rest over at once, and gives up every claim. */
  stop(): Promise<void>;
  /** Settles when the worker ends by itself: always a fault, the process should exit. */
  ended: Promise<never>;
}

/**
 * Settings of graphile-worker, for our own worker process and for the stock CLI (through
 * graphile.config.ts). Each value is there for a measured reason.
 */
export function workerPreset(options: {
  concurrency: number;
  liveness: Liveness;
  log: Log;
  /** Called when the last worker of the pool has stopped: for runners that we do not stop. */
  onStopped?: () => Promise<void>;
  /** Another folder of task files than the project's own. */
  taskDirectory?: string;
}): GraphileConfig.Preset {
  const events: WorkerEvents = new EventEmitter();
  events.on('localQueue:getJobs:complete', ({ jobs }) => options.liveness.fetched.add(jobs));
  return {
    worker: {
      events,
      taskDirectory:
        options.taskDirectory ?? fileURLToPath(new URL('../../tasks', import.meta.url)),
      concurrentJobs: options.concurrency,
      // one connection for LISTEN, one for the liveness of the pool, the rest for jobs
      maxPoolSize: options.concurrency + 2,
      // wake-ups in the future (snoozed lines) are found by polling, and the first of them is due
      // after half a second
      pollInterval: 250,
      // a batched fetch locks the queue rows once for many jobs; one job at a time, 20 000
      // accounts drain at 123/s. It grows while fetching is what takes the time (fetch-plugin.ts)
      // what it has fetched goes back when it is not begun in time: others may have room
      localQueue: { size: options.concurrency + 1, ttl: kernelLimits.fetchedMs },
      // by default completions are not awaited: a clean stop loses the last one, and its job and
      // queue stay locked for four hours
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
      // a drain drops its look and hands over when it is asked to stop
      gracefulShutdownAbortTimeout: 0,
      logger: quietLogger(options.log, options.liveness),
    },
    plugins: [
      livenessPlugin(options.liveness, options.onStopped),
      fetchSizePlugin(options.concurrency + 1),
    ],
  };
}

/**
 * Registers the pool before its first job runs, so that a kill at any later time is noticed. The
 * engine fetches earlier than it asks: what a pool took and died with before its first heartbeat is
 * freed by the sweep.
 */
function livenessPlugin(
  liveness: Liveness,
  onStopped: (() => Promise<void>) | undefined,
): GraphileConfig.Plugin {
  let running = 0;
  return {
    name: 'CanonryLivenessPlugin',
    version: '1.0.0',
    worker: {
      hooks: {
        async startWorker(_ctx, event) {
          running += 1;
          await liveness.register(event.worker.workerPool.id);
        },
        async stopWorker() {
          running -= 1;
          if (running === 0) await onStopped?.();
        },
      },
    },
  };
}

/** Passes warnings and errors on by their text only: metadata holds jobs with their payloads. */
function quietLogger(log: Log, liveness: Liveness): Logger {
  return new Logger(() => (level, message) => {
    // it expects a connection a job; ours share a few (group-commit.ts)
    const expected = message.includes('maxPoolSize');
    if (liveness.stopping || expected) log.debug({ source: 'graphile-worker' }, message);
    else if (level === 'error') log.error({ source: 'graphile-worker' }, message);
    else if (level === 'warning') log.warn({ source: 'graphile-worker' }, message);
    else log.debug({ source: 'graphile-worker' }, message);
  });
}

/**
 * Runs the task files.
 * @param database on direct connections (LISTEN does not pass through a transaction pooler).
 */
export async function startWorker(
  preset: GraphileConfig.Preset,
  database: Pick<Database, 'sql' | 'workerPool'>,
  liveness: Liveness,
  log: Log,
): Promise<Worker> {
  const events: WorkerEvents = preset.worker?.events ?? new EventEmitter();
  const failed = Promise.withResolvers<never>();
  // whoever does not wait for it is not told by a crash
  failed.promise.catch(() => {});
  let stopping = false;
  // the engine ends a pool for good after one completion that it could not write, and says so
  // nowhere else: a process that went on beating would keep what that pool has locked
  for (const event of [
    'pool:gracefulShutdown',
    'pool:forcefulShutdown',
    'pool:fatalError',
  ] as const) {
    events.on(event, () => {
      if (stopping) return;
      stopping = true;
      log.error({ event }, 'the job engine gave up');
      void atMost(kernelLimits.retireMs, liveness.retire())
        .catch((error: unknown) => log.error(errorFields(error), 'retiring failed'))
        .finally(() => failed.reject(new Error(`the job engine gave up (${event})`)));
    });
  }
  const pool = database.workerPool();
  await openConnections(database, pool);
  const runner = await run({
    preset: { ...preset, worker: { ...preset.worker, events } },
    pgPool: pool,
    noHandleSignals: true,
  });
  const ended = runner.promise.catch((error: unknown) => {
    // a non-empty local queue makes a graceful stop reject: noise while we stop
    log.debug(errorFields(error), 'worker ended');
  });
  return {
    ended: failed.promise,
    async stop() {
      stopping = true;
      liveness.stopping = true;
      const stopped = runner.stop().catch((error: unknown) => {
        log.debug(errorFields(error), 'worker stop');
      });
      await atMost(kernelLimits.stopMs, Promise.all([stopped, ended]));
      await atMost(kernelLimits.retireMs, liveness.retire());
    },
  };
}

/** A worker that takes jobs before its connections are open lets the first jobs wait for them. */
async function openConnections({ sql }: Pick<Database, 'sql'>, pool: Pool): Promise<void> {
  const count = { length: kernelLimits.workerConnections };
  await Promise.all([
    ...Array.from(count, () => sql`select 1`),
    ...Array.from(count, () => pool.query('select 1')),
  ]);
}

/** The promise, or nothing when it takes longer: what is left then is found by other workers. */
async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  const timeout = new AbortController();
  try {
    await Promise.race([promise, sleep(ms, undefined, { signal: timeout.signal })]);
  } finally {
    timeout.abort();
  }
}
