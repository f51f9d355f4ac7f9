import type { Sql } from '../database/connect.ts';
import { kernelLimits } from '../limits.ts';
import { errorFields, type Log } from '../observability/log.ts';

export interface Liveness {
  /** Begins to renew the heartbeat of a worker pool, and waits for the first one. */
  register(workerId: string): Promise<void>;
  /** Stops the timers and gives back whatever the pool still holds. */
  retire(): Promise<void>;
}

/**
 * Keeps the heartbeat of this process and retires workers that went silent: their lines are
 * freed under a higher fence and their jobs unlocked (invariant K6). Every worker does it; doing
 * it twice, or to a worker that is only slow, is harmless by the fence.
 */
export function createLiveness(sql: Sql, log: Log): Liveness {
  let workerId: string | undefined;
  let timers: NodeJS.Timeout[] = [];
  let running: Promise<unknown> = Promise.resolve();

  const beat = async () => {
    await sql`select canonry.heartbeat(${workerId ?? ''})`;
    const reaped = await sql<{ worker: string }[]>`
      select worker from canonry.reap(${kernelLimits.workerSilentSeconds}) worker`;
    for (const { worker } of reaped) log.warn({ worker }, 'silent worker retired');
  };
  const sweep = async () => {
    const [row] = await sql<{ woken: number }[]>`
      select canonry.sweep(${kernelLimits.sweepStaleSeconds}) as woken`;
    if (row && row.woken > 0) log.warn({ lines: row.woken }, 'lines without a wake-up were woken');
  };
  const every = (ms: number, action: () => Promise<void>) => {
    const timer = setInterval(() => {
      running = action().catch((error: unknown) => log.error(errorFields(error), 'liveness'));
    }, ms);
    timers.push(timer);
  };

  return {
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
      await running;
      if (workerId) await sql`select canonry.retire(${workerId})`;
    },
  };
}
