import postgres from 'postgres';
import { describe, expect, it, vi } from 'vitest';
import { groupCommit, rowsAsJson } from '../../src/kernel/group-commit.ts';
import { databaseLimits, kernelLimits } from '../../src/limits.ts';

/** A write whose statements answer when they are told to. */
function heldBack(patience?: { ms: number; groups: number }) {
  const statements: {
    items: string[];
    answer: (rows: string[]) => void;
    fail: (e: Error) => void;
  }[] = [];
  const commit = groupCommit<string, string>({
    lockKey: (item) => item,
    ...(patience && { patience }),
    write: (items) =>
      new Promise((resolve, reject) => {
        statements.push({ items: [...items], answer: resolve, fail: reject });
      }),
  });
  return { statements, commit };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
/** What the driver throws for an error of the server. */
const refusal = Object.assign(Object.create(postgres.PostgresError.prototype) as Error, {
  code: '55P03',
});
const done = (items: string[]) => items.map((item) => `${item} done`);

describe('group commit', () => {
  it('sends a write that is asked for alone at once, and answers it', async () => {
    const { statements, commit } = heldBack();
    const answer = commit('a');
    await turn();
    expect(statements.map(({ items }) => items)).toEqual([['a']]);
    statements[0]!.answer(['a done']);
    expect(await answer).toBe('a done');
  });

  it('gathers what is asked for while groups are on their way, in the order of the locks', async () => {
    const { statements, commit } = heldBack();
    const answers: Promise<string>[] = [];
    for (let group = 0; group < kernelLimits.groupsInFlight; group++) {
      answers.push(commit(`first ${group}`));
      await turn();
    }
    for (const item of ['c', 'a', 'b']) {
      answers.push(commit(item));
      await turn();
    }
    expect(statements).toHaveLength(kernelLimits.groupsInFlight);
    statements[0]!.answer(done(statements[0]!.items));
    await turn();
    expect(statements.at(-1)!.items).toEqual(['a', 'b', 'c']);
    for (const { items, answer } of statements.slice(1)) answer(done(items));
    expect((await Promise.all(answers)).slice(-3)).toEqual(['c done', 'a done', 'b done']);
  });

  it('never writes more in one group than its limit', async () => {
    const { statements, commit } = heldBack();
    const items = Array.from({ length: kernelLimits.maxGroup + 1 }, (_, n) => String(n));
    const answers = items.map((item) => commit(item));
    await turn();
    expect(statements.map((statement) => statement.items.length)).toEqual([
      kernelLimits.maxGroup,
      1,
    ]);
    for (const statement of statements) statement.answer(done(statement.items));
    expect(await Promise.all(answers)).toEqual(done(items));
  });

  it('tells every item of a group when the connection is lost: none is written twice', async () => {
    const { statements, commit } = heldBack();
    const answers = ['a', 'b'].map((item) => commit(item));
    await turn();
    statements[0]!.fail(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    const settled = await Promise.allSettled(answers);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(statements).toHaveLength(1);
    // and the next one is sent as ever
    void commit('c');
    await turn();
    expect(statements).toHaveLength(2);
  });

  it('writes the items of a refused group by themselves, a few at a time', async () => {
    const { statements, commit } = heldBack();
    const items = Array.from({ length: 9 }, (_, n) => `item ${n}`);
    const answers = items.map((item) => commit(item));
    await turn();
    statements[0]!.fail(refusal);
    await turn();
    let answered = 1;
    while (answered < statements.length) {
      expect(statements.length - answered).toBeLessThanOrEqual(kernelLimits.writtenAlone);
      const alone = statements[answered]!;
      answered += 1;
      expect(alone.items).toHaveLength(1);
      alone.answer(done(alone.items));
      await turn();
    }
    expect(answered).toBe(10);
    expect(await Promise.all(answers)).toEqual(done(items));
  });

  it('gives up a group that the database never answers, and goes on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { statements, commit } = heldBack();
    const lost = commit('a');
    const told = expect(lost).rejects.toThrow('did not answer');
    await turn();
    await vi.advanceTimersByTimeAsync(databaseLimits.statementMs + databaseLimits.answerGraceMs);
    await told;
    vi.useRealTimers();
    const next = commit('b');
    await turn();
    statements.at(-1)!.answer(['b done']);
    expect(await next).toBe('b done');
  });

  it('where patience is bounded, sends beside slow groups what has waited for so long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { groupsInFlight } = kernelLimits;
    const most = groupsInFlight + 1;
    const { statements, commit } = heldBack({ ms: 4, groups: most });
    const answers: Promise<string>[] = [];
    const ask = async (item: string) => {
      answers.push(commit(item));
      await turn();
    };
    for (let group = 0; group < groupsInFlight; group++) await ask(`first ${group}`);
    await ask('b');
    await ask('a');
    await vi.advanceTimersByTimeAsync(3);
    expect(statements).toHaveLength(groupsInFlight);
    await vi.advanceTimersByTimeAsync(1);
    expect(statements.at(-1)!.items).toEqual(['a', 'b']);
    // all that may be on their way are
    await ask('c');
    await vi.advanceTimersByTimeAsync(4);
    expect(statements).toHaveLength(most);
    for (const { items, answer } of statements) answer(done(items));
    await vi.advanceTimersByTimeAsync(4);
    vi.useRealTimers();
    expect(statements.at(-1)!.items).toEqual(['c']);
    statements.at(-1)!.answer(['c done']);
    expect((await Promise.all(answers)).slice(-3)).toEqual(['b done', 'a done', 'c done']);
  });

  it('replaces what no text of the database can hold', () => {
    expect(rowsAsJson([{ error: 'a\0b\ud800' }])).toBe('[{"error":"a\uFFFDb\uFFFD"}]');
  });

  it('passes whole numbers of any size on as they are', () => {
    expect(rowsAsJson([{ line: 2n ** 63n - 1n, why: null }])).toBe(
      '[{"line":"9223372036854775807","why":null}]',
    );
  });
});
