import { setInterval } from 'node:timers';
import type { Sql } from '../../database/connect.ts';
import { sessionLimits } from '../../limits.ts';
import { errorFields, type Log } from '../../observability/log.ts';

/** Removes expired challenges and sessions, piece by piece. @returns how many. */
export async function sweepSessions(sql: Sql): Promise<number> {
  return sweepRows(async (most) => {
    const [row] = await sql<{ swept: number }[]>`
      select guardian.sweep_sessions(${most}) as swept`;
    return row?.swept ?? 0;
  });
}

/** Repeats a bounded removal until nothing is left for it. */
export async function sweepRows(remove: (most: number) => Promise<number>): Promise<number> {
  for (let total = 0; ;) {
    const swept = await remove(sessionLimits.sweepRows);
    total += swept;
    if (swept < sessionLimits.sweepRows) return total;
  }
}

/** Sweeps once a minute, one sweep at a time; a failure is logged and tried again. */
export function sweepRegularly(sweep: () => Promise<unknown>, log: Log): { stop(): Promise<void> } {
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    running ??= sweep()
      .catch((error: unknown) => log.warn(errorFields(error), 'expired rows were not swept'))
      .finally(() => (running = undefined));
  }, sessionLimits.sweepMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
