import { clearInterval, setInterval } from 'node:timers';
import pg from 'pg';
import { databaseLimits } from '../../limits.ts';
import type { EmbeddedHub } from './hub.ts';

export interface Upkeep {
  stop(): Promise<void>;
}

/** How often, in milliseconds. */
export interface UpkeepIntervals {
  checkpointMs: number;
  vacuumMs: number;
}

/**
 * PGlite has neither a checkpointer nor autovacuum: without these its write-ahead log grows
 * without end (481 MB measured where checkpoints hold 65 MB) and the space of finished jobs is
 * never used again. The timers do not keep the process alive.
 */
export function startUpkeep(
  hub: EmbeddedHub,
  onError: (error: unknown) => void,
  intervals: UpkeepIntervals = databaseLimits,
): Upkeep {
  const pool = new pg.Pool({
    user: 'postgres',
    database: 'postgres',
    max: 1,
    stream: () => hub.connect(),
  });
  pool.on('error', onError);
  const run = (command: string) => void pool.query(command).catch(onError);
  const timers = [
    setInterval(run, intervals.checkpointMs, 'checkpoint').unref(),
    setInterval(run, intervals.vacuumMs, 'vacuum (analyze)').unref(),
  ];
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await pool.end();
    },
  };
}
