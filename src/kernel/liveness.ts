import type { Sql } from '../database/connect.ts';
import { endSilentProcess } from '../database/silence.ts';
import { databaseLimits, kernelLimits } from '../limits.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { unwatched, type KernelEvents } from './events.ts';
import { FetchedJobs } from './fetched-jobs.ts';
import type { HeldLines } from './held-lines.ts';

export interface Liveness {
  /** What the engine has fetched for this process; told by whoever runs the engine. */
  readonly fetched: FetchedJobs;
  /** Set when the process stops: what the job engine complains of from then on is noise. */
  stopping: boolean;
  /**
   * Begins to renew the heartbeat of a worker pool. Resolves with the first one that the database
   * has taken, for every caller: who works without one is not missed when he dies.
   */
  register(workerId: string): Promise<void>;
  /** Stops the timers and gives back whatever the pool still holds. */
  retire(): Promise<void>;
}

/**
 * Keeps the heartbeat of this process and retires workers that went silent: their lines are
 * freed under a higher fence and their jobs unlocked (invariant K6). Every worker does it; doing
 * it twice, or to a worker that is only slow, is harmless by the fence.
 *
 * @param options `onSilence` is called when the database has not answered for databaseLimits.silentMs,
 *   neither with rows nor with an error; the default ends the process.
 */
export function createLiveness(
  sql: Sql,
  log: Log,
  held: HeldLines,
  {
    onSilence = endSilentProcess,
    events = unwatched,
  }: { onSilence?: () => void; events?: Omit<KernelEvents, 'decisionFailed'> } = {},
): Liveness {
  let workerId: string | undefined;
  const rounds = new Rounds(log, onSilence);
  const registered = Promise.withResolvers<void>();
  const fetched = new FetchedJobs();

  const beat = async () => {
    const reaped = await sql<{ worker: string }[]>`
      select worker from canonry.beat(
        ${workerId ?? ''}, ${kernelLimits.workerSilentSeconds}, ${held.list().map(String)}::text[]::bigint[]) worker`;
    registered.resolve();
    for (const { worker } of reaped) {
      events.workerRetired();
      log.warn({ worker }, 'silent worker retired');
    }
  };
  const sweep = async () => {
    const [row] = await sql<{ woken: number }[]>`
      select canonry.sweep(${kernelLimits.sweepStaleSeconds}) as woken`;
    if (row && row.woken > 0) {
      events.linesWoken(row.woken);
      log.warn({ lines: row.woken }, 'lines without a wake-up were woken');
    }
    if (workerId) await unlockLostJobs(sql, workerId, fetched, log);
    await removeIdleQueues(sql);
  };

  return {
    fetched,
    stopping: false,
    register(id) {
      if (!workerId) {
        workerId = id;
        const beatNow = rounds.every(kernelLimits.heartbeatMs, beat);
        rounds.every(kernelLimits.sweepMs, sweep);
        beatNow();
      }
      return registered.promise;
    },
    async retire() {
      await rounds.stop();
      // nobody waits for a heartbeat that will not come
      registered.resolve();
      if (workerId) await sql`select canonry.retire(${workerId})`;
    },
  };
}

/** Actions that are repeated until they are stopped; one that is slow is never overtaken by itself. */
class Rounds {
  readonly #log: Log;
  readonly #onSilence: () => void;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #running = new Set<Promise<void>>();

  /** @param onSilence called when one has run for longer than databaseLimits.silentMs. */
  constructor(log: Log, onSilence: () => void) {
    this.#log = log;
    this.#onSilence = onSilence;
  }

  /** Returns what begins a round now, ahead of its time. */
  every(ms: number, action: () => Promise<void>): () => void {
    let busySince: number | null = null;
    const next = () => {
      if (busySince !== null) {
        if (performance.now() - busySince > databaseLimits.silentMs) this.#onSilence();
        return;
      }
      busySince = performance.now();
      const round = action()
        .catch((error: unknown) => this.#log.error(errorFields(error), 'liveness'))
        .finally(() => {
          busySince = null;
          this.#running.delete(round);
        });
      this.#running.add(round);
    };
    this.#timers.push(setInterval(next, ms));
    return next;
  }

  /** Ends the timers and waits for the rounds that run. */
  async stop(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    await Promise.all(this.#running);
  }
}

/** Gives back what was fetched for this process by statements whose answers were lost on the way. */
async function unlockLostJobs(
  sql: Sql,
  workerId: string,
  fetched: FetchedJobs,
  log: Log,
): Promise<void> {
  // by then an answer that is only slow has come
  const locked = await sql<{ job_id: bigint; since: Date }[]>`
    select job_id, since from canonry.locked_jobs(${workerId}, ${kernelLimits.workerSilentSeconds})`;
  const lost = locked
    .filter(({ since }) => !fetched.has(since))
    .map(({ job_id: id }) => String(id));
  if (lost.length === 0) return;
  await sql`select canonry.unlock_jobs(${workerId}, ${lost}::text[]::bigint[])`;
  log.warn({ jobs: lost.length }, 'jobs of a fetch without an answer were given back');
}

/** In pieces, so that no submit waits long for the lock; until nothing idle is left. */
async function removeIdleQueues(sql: Sql): Promise<void> {
  const piece = kernelLimits.idleQueuesAtOnce;
  for (let round = 0; round < kernelLimits.idleQueueRounds; round += 1) {
    const [row] = await sql<{ removed: number }[]>`
      select canonry.remove_idle_queues(${piece}) as removed`;
    if (row?.removed !== piece) return;
  }
}
