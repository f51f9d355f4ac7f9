import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Sql } from '../../src/database/connect.ts';
import { HeldLines } from '../../src/kernel/held-lines.ts';
import { createLiveness } from '../../src/kernel/liveness.ts';
import { databaseLimits, kernelLimits } from '../../src/limits.ts';
import { createLog } from '../../src/observability/log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Answers the first question and none of the later ones, or fails them. */
function database(later: () => Promise<never>): Sql {
  let asked = 0;
  return (() => {
    asked += 1;
    return asked === 1 ? Promise.resolve([]) : later();
  }) as unknown as Sql;
}

async function listen(later: () => Promise<never>): Promise<() => number> {
  let ended = 0;
  const liveness = createLiveness(database(later), createLog('silent'), new HeldLines(), {
    onSilence: () => {
      ended += 1;
    },
  });
  await liveness.register('pool');
  return () => ended;
}

it('ends a worker whose database has fallen silent, and not before', async () => {
  const ended = await listen(() => new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(databaseLimits.silentMs);
  expect(ended()).toBe(0);
  await vi.advanceTimersByTimeAsync(kernelLimits.sweepMs + kernelLimits.heartbeatMs);
  expect(ended()).toBeGreaterThan(0);
});

it('stays with a database that answers with errors, however long', async () => {
  const ended = await listen(() => Promise.reject(new Error('the database is starting up')));
  await vi.advanceTimersByTimeAsync(10 * databaseLimits.silentMs);
  expect(ended()).toBe(0);
});
