/** A delta's way out of `candidate`, on every database, with a chain the test decides about. */
import { describe, expect, it } from 'vitest';
import { ChainError } from '../../../src/guardian/networks/network.ts';
import { everyDatabase } from '../../support/databases.ts';
import { stageOn, word } from './stage.ts';

describe.each(everyDatabase)('canonicalization on $name', ({ open }) => {
  const stage = stageOn(open);

  it('waits for the transaction, then promotes: state, delta and candidate at once', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate', why: 'not_landed' });
    stage.shows = word(1);
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate', why: 'not_landed' });
    stage.shows = word(2);
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'canonical', why: 'canonical' });
    expect(await stage.account()).toEqual({ commitment: word(2), released_at: null });
  });

  it('an error of the chain changes nothing but the reason', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    stage.shows = new ChainError('the node is down');
    for (let i = 0; i < 5; i++) await stage.look();
    const [row] = await stage.database
      .sql`select d.retry_count, d.divergence_count, c.why, c.last_error
      from guardian.delta d join canonry.candidate c using (candidate_id)
      where d.account_id = ${stage.accountId}`;
    expect(row).toEqual({
      retry_count: 0,
      divergence_count: 0,
      why: 'chain_unavailable',
      last_error: 'the node is down',
    });
  });

  it('gives up after the grace period and 48 looks', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await stage.database
      .sql`update canonry.candidate set submitted_at = now() - interval '11 minutes'
      where resolved_at is null`;
    for (let i = 0; i < 47; i++) await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate' });
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({
      status: 'retained',
      status_reason: 'retry_exhausted',
    });
    expect(await stage.submit(1, 1, 3)).toBe('submitted');
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate' });
  });

  it('notes the switch to another guardian', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 1, false);
    stage.shows = word(2);
    await stage.look();
    expect((await stage.account()).released_at).not.toBeNull();
    expect(await stage.submit(2, 2, 3)).toBe('account_released');
  });

  it('one candidate at a time by default', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    expect(await stage.submit(2, 2, 3)).toBe('conflict_pending_delta');
    expect(await stage.submit(3, 1, 3)).toBe('conflict_pending_delta');
  });

  it('pipelined: a delta builds on the last candidate, and all resolve in order', async () => {
    await stage.openAccount();
    expect(await stage.submit(1, 1, 2, 3)).toBe('submitted');
    expect(await stage.submit(2, 1, 3, 3)).toBe('conflict_pending_delta');
    expect(await stage.submit(2, 2, 3, 3)).toBe('submitted');
    expect(await stage.submit(3, 3, 4, 3)).toBe('submitted');
    expect(await stage.submit(4, 4, 5, 3)).toBe('conflict_pending_delta');
    stage.shows = word(2);
    await stage.look();
    expect([await stage.delta(1), await stage.delta(2)]).toMatchObject([
      { status: 'canonical' },
      { status: 'candidate' },
    ]);
    // the chain went on by two: one look is enough for both
    stage.looks = 0;
    stage.shows = word(4);
    await stage.look();
    expect(stage.looks).toBe(1);
    expect([await stage.delta(2), await stage.delta(3)]).toMatchObject([
      { status: 'canonical' },
      { status: 'canonical' },
    ]);
    expect((await stage.account()).commitment).toBe(word(4));
  });

  it('partial canonicalization on a lost lease: who was overtaken changes nothing at all', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 2);
    await stage.submit(2, 2, 3, 2);
    const held = await stage.context.writes.claim({ account: stage.accountId, holder: 'first' });
    const { line_id: line, fence, candidate_id: candidate } = held;
    const claimed = { account: stage.accountId, line, fence, candidate };
    // metadata writes are fenced as well: account, deltas and candidates stay as they are
    const everything = () => stage.database
      .sql`select array_agg((a, d, c) order by d.nonce)::text as rows
      from guardian.account a join guardian.delta d using (account_id)
      join canonry.candidate c using (candidate_id) where account_id = ${stage.accountId}`;
    await stage.database.sql`select canonry.retire('first')`;
    const before = await everything();
    const landed = { ...claimed, through: held.candidates[1]! };
    expect((await stage.context.writes.promote(landed)).outcome).toBe('fenced');
    const counts = { retries: 1, divergences: 1, abandonments: 1 };
    const later = { ...claimed, delaySeconds: 9, why: 'diverged', error: null, ...counts };
    expect(await stage.context.writes.snooze(later)).toEqual({ held: false });
    expect(await everything()).toEqual(before);
    stage.shows = word(3);
    await stage.look();
    expect(await stage.delta(2)).toMatchObject({ status: 'canonical' });
  });

  it('a fault of ours is retried and then halts the line', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    stage.shows = new Error('a bug');
    for (let i = 0; i < 9; i++) await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate', why: 'failed' });
    await stage.look();
    const [row] = await stage.database.sql`select state, last_error from canonry.candidate c
      join guardian.delta d using (candidate_id) where d.account_id = ${stage.accountId}`;
    expect(row).toEqual({ state: 'halted', last_error: 'Error: a bug' });
    const [head] = await stage.database.sql<{ candidate_id: bigint }[]>`
      select candidate_id from guardian.delta where account_id = ${stage.accountId}`;
    await stage.database
      .sql`select canonry.operate(${head!.candidate_id}, 'discard', 'me', 'test')`;
    expect(await stage.delta(1)).toMatchObject({
      status: 'discarded',
      status_reason: 'client_abandoned',
    });
    expect(await stage.submit(1, 1, 2)).toBe('submitted');
  });

  it('a result far down a deep line is found, though a claim names the first hundred only', async () => {
    await stage.openAccount();
    const deep = 103;
    for (let n = 1; n <= deep; n++) await stage.submit(n, n, n + 1, 1_000);
    stage.shows = word(deep + 1);
    await stage.look();
    expect(await stage.delta(deep)).toMatchObject({ status: 'canonical' });
    expect((await stage.account()).commitment).toBe(word(deep + 1));
  });
});
