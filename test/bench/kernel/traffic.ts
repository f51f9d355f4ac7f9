/** Steady submits to a range of accounts, at fixed times however long each takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../../../src/database/connect.ts';
import { submitOne } from './load.ts';

export interface Traffic {
  /** Ends it; the number of candidates that were submitted. */
  end(): Promise<number>;
}

export function startTraffic(
  sql: Sql,
  options: { accounts: number; perSecond: number; wakeQueue: 'account' | 'none'; fromSeq: number },
): Traffic {
  const { accounts, perSecond, wakeQueue, fromSeq } = options;
  let submitted = 0;
  const end = new AbortController();
  const started = performance.now();
  const run = async () => {
    const flying: Promise<void>[] = [];
    while (!end.signal.aborted) {
      const due = Math.floor(((performance.now() - started) * perSecond) / 1_000);
      for (; submitted < due; submitted++) {
        const round = fromSeq + Math.floor(submitted / accounts);
        flying.push(submitOne(sql, (submitted % accounts) + 1, round, wakeQueue));
      }
      await sleep(2);
    }
    await Promise.all(flying);
  };
  const running = run();
  return {
    async end() {
      end.abort();
      await running;
      return submitted;
    },
  };
}
