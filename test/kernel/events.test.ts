/** What the kernel tells whoever watches it. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Sql } from '../../src/database/connect.ts';
import { drain, type Head, type LineWork } from '../../src/kernel/drain.ts';
import type { KernelEvents } from '../../src/kernel/events.ts';
import { groupCommit } from '../../src/kernel/group-commit.ts';
import { HeldLines } from '../../src/kernel/held-lines.ts';
import { createLiveness } from '../../src/kernel/liveness.ts';
import { kernelLimits } from '../../src/limits.ts';
import { createLog } from '../../src/observability/log.ts';

let told: string[];
const events: KernelEvents = {
  linesWoken: (lines) => told.push(`woken ${lines}`),
  workerRetired: () => told.push('retired'),
  decisionFailed: () => told.push('failed'),
};

beforeEach(() => {
  told = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Answers each question with the rows for the first word it contains. */
const answering = (answers: Record<string, object[]>): Sql =>
  ((parts: TemplateStringsArray) => {
    const [, rows = []] =
      Object.entries(answers).find(([word]) => parts.join().includes(word)) ?? [];
    return Promise.resolve(rows);
  }) as unknown as Sql;

it('tells of each worker it has retired, and of lines only when it woke some', async () => {
  const answers = {
    'canonry.beat': [{ worker: 'a' }, { worker: 'b' }],
    'canonry.sweep': [{ woken: 0 }],
  };
  const liveness = createLiveness(answering(answers), createLog('silent'), new HeldLines(), {
    events,
  });
  await liveness.register('pool');
  expect(told).toEqual(['retired', 'retired']);
  answers['canonry.beat'] = [];
  await vi.advanceTimersByTimeAsync(kernelLimits.sweepMs);
  expect(told).toEqual(['retired', 'retired']);
  answers['canonry.sweep'] = [{ woken: 3 }];
  await vi.advanceTimersByTimeAsync(kernelLimits.sweepMs);
  expect(told).toEqual(['retired', 'retired', 'woken 3']);
  await liveness.retire();
});

it('tells of a decision that failed, and not of one that was made', async () => {
  const head: Head = {
    line_id: 1n,
    fence: 1n,
    candidate_id: 1n,
    attempts: 0,
    failures: 0,
    due: true,
  };
  const context = {
    sql: answering({}),
    log: createLog('silent'),
    held: new HeldLines(),
    events,
    signal: new AbortController().signal,
  };
  const work = (decide: LineWork<Head>['decide']): LineWork<Head> => ({
    claim: () => Promise.resolve(head),
    decide,
    retry: { maxFailures: 3, backoff: { firstMs: 1, lastMs: 1, growth: 1 }, terminal: 'halt' },
    queueName: null,
  });
  expect(
    await drain(
      work(() => Promise.resolve(null)),
      context,
    ),
  ).toBe(1);
  expect(told).toEqual([]);
  expect(
    await drain(
      work(() => Promise.reject(new Error('boom'))),
      context,
    ),
  ).toBe(0);
  expect(told).toEqual(['failed']);
});

it('tells how many writes shared a transaction, once it was written', async () => {
  vi.useRealTimers();
  const sizes: number[] = [];
  const write = groupCommit<string, string>({
    lockKey: (item) => item,
    write: (items) =>
      items.includes('lost') ? Promise.reject(new Error('lost')) : Promise.resolve(items),
    onWritten: (size) => sizes.push(size),
  });
  await Promise.all(['a', 'b', 'c'].map(write));
  await expect(write('lost')).rejects.toThrow('lost');
  expect(sizes).toEqual([3]);
});
