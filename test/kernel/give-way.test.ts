/** A long line rests when others were at work since its drain began, and only then. */
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Sql } from '../../src/database/connect.ts';
import { drain, type Head } from '../../src/kernel/drain.ts';
import { unwatched } from '../../src/kernel/events.ts';
import { HeldLines } from '../../src/kernel/held-lines.ts';
import { createLog } from '../../src/observability/log.ts';

const untouched = (() => Promise.reject(new Error('no query is expected'))) as unknown as Sql;
const decisions = 30;
const othersDecide = 10;

/** The decisions after which others of the process got a turn: a line that rests lets them run. */
async function rests(others: boolean): Promise<number[]> {
  const held = new HeldLines();
  const head = { line_id: 1n, fence: 1n, candidate_id: 1n, attempts: 0, failures: 0, due: true };
  let decided = 0;
  let over = false;
  const turns: number[] = [];
  const drained = drain<Head>(
    {
      claim: () => Promise.resolve(head),
      decide() {
        decided += 1;
        if (others && decided <= othersDecide) held.decisions += 1;
        // answers without leaving the turn of the event loop: whoever else runs, runs in a rest
        return Promise.resolve(decided < decisions ? head : { ...head, candidate_id: null });
      },
      retry: { maxFailures: 1, backoff: { firstMs: 1, lastMs: 1, growth: 1 }, terminal: 'halt' },
      queueName: null,
    },
    {
      sql: untouched,
      log: createLog('silent'),
      held,
      events: unwatched,
      signal: new AbortController().signal,
    },
  ).finally(() => (over = true));
  for (;;) {
    await setImmediate();
    if (over) break;
    if (turns.at(-1) !== decided) turns.push(decided);
  }
  expect(await drained).toBe(decisions);
  return turns;
}

it('rests after each decision but the last once it has made more than half of them', async () => {
  const after = Array.from(
    { length: decisions - othersDecide - 1 },
    (_, n) => othersDecide + 1 + n,
  );
  expect(await rests(true)).toEqual(after);
});

it('does not rest when nobody else was at work', async () => {
  expect(await rests(false)).toEqual([]);
});
