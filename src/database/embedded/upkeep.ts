import { clearInterval, setInterval } from 'node:timers';
import pg from 'pg';
import { databaseLimits } from '../../limits.ts';
import type { EmbeddedHub } from './hub.ts';

export interface Upkeep {
  stop(): Promise<void>;
}

/**
 * PGlite has neither a checkpointer nor autovacuum: without these its write-ahead log grows
 * without end (481 MB measured where a checkpoint holds 65 MB) and the space of finished jobs
 * is never used again. The timers do not keep the process alive, and do nothing on an idle
 * database.
 */
export function startUpkeep(hub: EmbeddedHub, onError: (error: unknown) => void): Upkeep {
  const pool = new pg.Pool({
    user: 'postgres',
    database: 'postgres',
    max: 1,
    stream: () => hub.connect(),
  });
  pool.on('error', onError);
  const timers = [
    every(databaseLimits.checkpointMs, 'checkpoint'),
    every(databaseLimits.vacuumMs, 'vacuum (analyze)'),
  ];
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await pool.end();
    },
  };

  function every(milliseconds: number, command: string): NodeJS.Timeout {
    let groupsBefore = hub.groupsRun;
    const timer = setInterval(() => {
      if (hub.groupsRun === groupsBefore) return;
      pool
        .query(command)
        .catch(onError)
        .finally(() => (groupsBefore = hub.groupsRun));
    }, milliseconds);
    return timer.unref();
  }
}
