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

it('lets nobody work before a heartbeat was taken, and goes on trying', async () => {
  const asked: string[] = [];
  let isAway = true;
  const sql = ((parts: TemplateStringsArray) => {
    asked.push(parts.join());
    return isAway ? Promise.reject(new Error('the connection was cut')) : Promise.resolve([]);
  }) as unknown as Sql;
  const liveness = createLiveness(sql, createLog('silent'), new HeldLines());
  let waiting = 20;
  const workers = Array.from({ length: waiting }, async () => {
    await liveness.register('pool');
    waiting -= 1;
  });
  await vi.advanceTimersByTimeAsync(3 * kernelLimits.heartbeatMs);
  expect(waiting).toBe(20);
  isAway = false;
  await vi.advanceTimersByTimeAsync(kernelLimits.heartbeatMs);
  await Promise.all(workers);
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(kernelLimits.sweepMs);
  const since = asked.slice(before);
  expect(since.filter((text) => text.includes('canonry.beat')).length).toBeGreaterThan(1);
  expect(since.some((text) => text.includes('canonry.sweep'))).toBe(true);
  await liveness.retire();
});

it('lets go who waits for a heartbeat when the worker retires', async () => {
  const sql = (() => Promise.reject(new Error('the connection was cut'))) as unknown as Sql;
  const liveness = createLiveness(sql, createLog('silent'), new HeldLines());
  const registered = liveness.register('pool');
  await expect(liveness.retire()).rejects.toThrow('cut');
  await registered;
});
