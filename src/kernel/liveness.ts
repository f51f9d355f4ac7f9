import type { Sql } from '../database/connect.ts';
import { endSilentProcess } from '../database/silence.ts';
import { databaseLimits, kernelLimits } from '../limits.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { unwatched, type KernelEvents } from './events.ts';
import type { HeldLines } from './held-lines.ts';

export interface Liveness {
  /** Set when the process stops: what the job engine complains of from then on is noise. */
  stopping: boolean;
  /** Begins to renew the heartbeat of a worker pool, and waits for the first one. */
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
  let timers: NodeJS.Timeout[] = [];
  const rounds = new Set<Promise<void>>();

  const beat = async () => {
    const reaped = await sql<{ worker: string }[]>`
      select worker from canonry.beat(
        ${workerId ?? ''}, ${kernelLimits.workerSilentSeconds}, ${held.list().map(String)}::text[]::bigint[]) worker`;
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
    await removeIdleQueues(sql);
  };
  // a slow round is never overtaken by the next one
  const every = (ms: number, action: () => Promise<void>) => {
    let busySince: number | null = null;
    const timer = setInterval(() => {
      if (busySince !== null) {
        if (performance.now() - busySince > databaseLimits.silentMs) onSilence();
        return;
      }
      busySince = performance.now();
      const round = action()
        .catch((error: unknown) => log.error(errorFields(error), 'liveness'))
        .finally(() => {
          busySince = null;
          rounds.delete(round);
        });
      rounds.add(round);
    }, ms);
    timers.push(timer);
  };

  return {
    stopping: false,
    async register(id) {
      if (workerId) return;
      workerId = id;
      await beat();
      every(kernelLimits.heartbeatMs, beat);
      every(kernelLimits.sweepMs, sweep);
    },
    async retire() {
      timers.forEach((timer) => clearInterval(timer));
      timers = [];
      await Promise.all(rounds);
      if (workerId) await sql`select canonry.retire(${workerId})`;
    },
  };
}

/** In pieces, so that no submit waits long for the lock; until nothing idle is left. */
async function removeIdleQueues(sql: Sql): Promise<void> {
  const piece = kernelLimits.idleQueuesAtOnce;
  let removed: number = piece;
  while (removed === piece) {
    const [row] = await sql<{ removed: number }[]>`
      select canonry.remove_idle_queues(${piece}) as removed`;
    removed = row?.removed ?? 0;
  }
}
