import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { joinReplicas } from '../../src/coordination/replicas.ts';
import type { Sql } from '../../src/database/connect.ts';
import { coordinationLimits, databaseLimits } from '../../src/limits.ts';
import { createLog } from '../../src/observability/log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** How often a replica of this database would have ended its process. */
async function listen(later: () => Promise<never>): Promise<() => number> {
  let [asked, ended] = [0, 0];
  const sql = (() => {
    asked += 1;
    return asked === 1 ? Promise.resolve([]) : later();
  }) as unknown as Sql;
  const self = { role: 'api', settings: {} } as const;
  const replica = joinReplicas(sql, createLog('silent'), self, () => {
    ended += 1;
  });
  await replica.announced;
  return () => ended;
}

it('an API whose database has fallen silent ends, and not before', async () => {
  const ended = await listen(() => new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(coordinationLimits.announceMs + databaseLimits.silentMs);
  expect(ended()).toBe(0);
  await vi.advanceTimersByTimeAsync(coordinationLimits.announceMs);
  expect(ended()).toBe(1);
});

it('an API whose database answers with errors stays, however long', async () => {
  const ended = await listen(() => Promise.reject(new Error('the database is starting up')));
  await vi.advanceTimersByTimeAsync(10 * databaseLimits.silentMs);
  expect(ended()).toBe(0);
});
