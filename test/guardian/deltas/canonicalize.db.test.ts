/** A delta's way out of `candidate`, on every database, with a chain the test decides about. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import {
  canonicalize,
  type CanonicalizationContext,
} from '../../../src/guardian/deltas/canonicalize.ts';
import { lineWrites } from '../../../src/guardian/deltas/line-writes.ts';
import { unwatched } from '../../../src/kernel/events.ts';
import { HeldLines } from '../../../src/kernel/held-lines.ts';
import { reconcile } from '../../../src/guardian/deltas/reconcile.ts';
import { ChainError } from '../../../src/guardian/networks/network.ts';
import { createLog } from '../../../src/observability/log.ts';
import { unobserved } from '../../../src/observability/metrics.ts';
import { everyDatabase } from '../../support/databases.ts';

const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
const signer = word(0xabc);

describe.each(everyDatabase)('canonicalization on $name', ({ open }) => {
  let database: Database;
  let context: CanonicalizationContext;
  let onChain: string | null | Error = null;
  let looks = 0;
  let accounts = 0;
  let clock = BigInt(Date.now());
  let accountId = '';

  beforeAll(async () => {
    database = await open();
    context = {
      sql: database.sql,
      writes: lineWrites(database.sql),
      metrics: unobserved,
      events: unwatched,
      held: new HeldLines(),
      network: {
        commitmentOnChain: async () => {
          looks += 1;
          if (onChain instanceof Error) throw onChain;
          return onChain;
        },
      },
      wakeQueue: 'account',
      retainedTtlSeconds: 86_400,
      reconcileIntervalSeconds: 60,
      log: createLog('silent'),
    };
  });
  afterAll(() => database.close());

  /** A new account at commitment 1. */
  const open1 = async () => {
    accountId = `0x${(accounts += 1).toString(16).padStart(30, '0')}`;
    onChain = null;
    looks = 0;
    await database.sql`select guardian.configure_account(
      ${accountId}, 0, ${signer}, ${(clock += 1n)}, 'ecdsa', ${[signer]}, ${word(1)}, ${Uint8Array.of(1)})`;
  };
  const submit = async (nonce: number, from: number, to: number, most = 1, bound = true) => {
    const [row] = await database.sql<{ outcome: string }[]>`
      select outcome from guardian.submit_delta(
        ${accountId}, (select auth_version from guardian.account where account_id = ${accountId}),
        ${signer}, ${(clock += 1n)}, 'valid', ${nonce}, ${word(from)}, ${word(to)}, ${word(nonce)},
        ${`{"data":"${nonce}-${from}-${to}"}`}::text::json, 'ecdsa', 'key', 'signature',
        ${Uint8Array.of(to)}, ${[signer]}, ${bound}, ${`account:${accountId}`}, ${most})`;
    return row!.outcome;
  };
  /** Makes a waiting head due, as the passing of its time would, and runs a wake-up. */
  const look = async () => {
    await database.sql`update canonry.candidate set next_attempt_at = now() - interval '1 second'
      where resolved_at is null`;
    await canonicalize(context, accountId, 'worker', new AbortController().signal);
  };
  const delta = async (nonce: number) => {
    const [row] = await database.sql<
      { status: string; status_reason: string | null; why: string }[]
    >`
      select d.status, d.status_reason, c.why from guardian.delta d
      join canonry.candidate c using (candidate_id)
      where d.account_id = ${accountId} and d.nonce = ${nonce}`;
    return row;
  };
  const commitment = async () => {
    const [row] = await database.sql<{ commitment: string; released_at: Date | null }[]>`
      select commitment, released_at from guardian.account where account_id = ${accountId}`;
    return row!;
  };

  it('waits for the transaction, then promotes: state, delta and candidate at once', async () => {
    await open1();
    await submit(1, 1, 2);
    await look();
    expect(await delta(1)).toMatchObject({ status: 'candidate', why: 'not_landed' });
    onChain = word(1);
    await look();
    expect(await delta(1)).toMatchObject({ status: 'candidate', why: 'not_landed' });
    onChain = word(2);
    await look();
    expect(await delta(1)).toMatchObject({ status: 'canonical', why: 'canonical' });
    expect(await commitment()).toEqual({ commitment: word(2), released_at: null });
  });

  it('an error of the chain changes nothing but the reason', async () => {
    await open1();
    await submit(1, 1, 2);
    onChain = new ChainError('the node is down');
    for (let i = 0; i < 5; i++) await look();
    const [row] = await database.sql`select d.retry_count, d.divergence_count, c.why, c.last_error
      from guardian.delta d join canonry.candidate c using (candidate_id)
      where d.account_id = ${accountId}`;
    expect(row).toEqual({
      retry_count: 0,
      divergence_count: 0,
      why: 'chain_unavailable',
      last_error: 'the node is down',
    });
  });

  it('retains a diverged delta at the second look, and takes it back when it lands', async () => {
    await open1();
    await submit(1, 1, 2);
    onChain = word(9);
    await look();
    expect(await delta(1)).toMatchObject({ status: 'candidate', why: 'diverged' });
    onChain = word(1);
    await look();
    onChain = word(9);
    await look();
    expect(await delta(1)).toMatchObject({ status: 'candidate' });
    await look();
    expect(await delta(1)).toMatchObject({ status: 'retained', status_reason: 'diverged' });
    expect((await commitment()).commitment).toBe(word(1));

    await reconcile(context, accountId);
    expect(await delta(1)).toMatchObject({ status: 'retained' });
    onChain = word(2);
    await reconcile(context, accountId);
    expect(await delta(1)).toMatchObject({ status: 'canonical' });
    expect((await commitment()).commitment).toBe(word(2));
    const [job] = await database.sql`select run_at > now() + interval '30 seconds' as later
      from graphile_worker.jobs where key = ${`reconcile:${accountId}`}`;
    expect(job).toEqual({ later: true });
  });

  it('gives up after the grace period and 48 looks', async () => {
    await open1();
    await submit(1, 1, 2);
    await database.sql`update canonry.candidate set submitted_at = now() - interval '11 minutes'
      where resolved_at is null`;
    for (let i = 0; i < 47; i++) await look();
    expect(await delta(1)).toMatchObject({ status: 'candidate' });
    await look();
    expect(await delta(1)).toMatchObject({ status: 'retained', status_reason: 'retry_exhausted' });
    expect(await submit(1, 1, 3)).toBe('submitted');
    expect(await delta(1)).toMatchObject({ status: 'candidate' });
  });

  it('forgets instead of retaining when retention is off', async () => {
    await open1();
    await submit(1, 1, 2);
    onChain = word(9);
    const off = { ...context, retainedTtlSeconds: 0 };
    for (let i = 0; i < 2; i++) {
      await database.sql`update canonry.candidate set next_attempt_at = now()
        where resolved_at is null`;
      await canonicalize(off, accountId, 'worker', new AbortController().signal);
    }
    expect(await delta(1)).toBeUndefined();
    expect(await submit(1, 1, 3)).toBe('submitted');
  });

  it('notes the switch to another guardian', async () => {
    await open1();
    await submit(1, 1, 2, 1, false);
    onChain = word(2);
    await look();
    expect((await commitment()).released_at).not.toBeNull();
    expect(await submit(2, 2, 3)).toBe('account_released');
  });

  it('one candidate at a time by default', async () => {
    await open1();
    await submit(1, 1, 2);
    expect(await submit(2, 2, 3)).toBe('conflict_pending_delta');
    expect(await submit(3, 1, 3)).toBe('conflict_pending_delta');
  });

  it('pipelined: a delta builds on the last candidate, and all resolve in order', async () => {
    await open1();
    expect(await submit(1, 1, 2, 3)).toBe('submitted');
    expect(await submit(2, 1, 3, 3)).toBe('conflict_pending_delta');
    expect(await submit(2, 2, 3, 3)).toBe('submitted');
    expect(await submit(3, 3, 4, 3)).toBe('submitted');
    expect(await submit(4, 4, 5, 3)).toBe('conflict_pending_delta');
    onChain = word(2);
    await look();
    expect([await delta(1), await delta(2)]).toMatchObject([
      { status: 'canonical' },
      { status: 'candidate' },
    ]);
    // the chain went on by two: one look is enough for both
    looks = 0;
    onChain = word(4);
    await look();
    expect(looks).toBe(1);
    expect([await delta(2), await delta(3)]).toMatchObject([
      { status: 'canonical' },
      { status: 'canonical' },
    ]);
    expect((await commitment()).commitment).toBe(word(4));
  });

  it('pipelined: what was built on a delta that is given up is parked with the reason', async () => {
    await open1();
    await submit(1, 1, 2, 3);
    await submit(2, 2, 3, 3);
    onChain = word(9);
    await look();
    await look();
    expect(await delta(1)).toMatchObject({ status: 'retained', why: 'diverged' });
    expect(await delta(2)).toMatchObject({ status: 'retained', why: 'base_lost' });
    // both land after all: one look at the chain takes both back
    onChain = word(3);
    await reconcile(context, accountId);
    expect([await delta(1), await delta(2)]).toMatchObject([
      { status: 'canonical' },
      { status: 'canonical' },
    ]);
    expect((await commitment()).commitment).toBe(word(3));
  });

  it('pipelined: a candidate that came and landed after the claim is no divergence', async () => {
    await open1();
    await submit(1, 1, 2, 3);
    onChain = word(9);
    await look();
    // the second look sees the result of a candidate that was submitted while it looked
    const { network } = context;
    context = {
      ...context,
      network: {
        commitmentOnChain: async () => {
          await submit(2, 2, 3, 3);
          return word(3);
        },
      },
    };
    await look();
    context = { ...context, network };
    expect([await delta(1), await delta(2)]).toMatchObject([
      { status: 'canonical' },
      { status: 'canonical' },
    ]);
  });

  it('partial canonicalization on a lost lease: who was overtaken changes nothing at all', async () => {
    await open1();
    await submit(1, 1, 2, 2);
    await submit(2, 2, 3, 2);
    const held = await context.writes.claim({ account: accountId, holder: 'first' });
    const { line_id: line, fence, candidate_id: candidate } = held;
    const claimed = { account: accountId, line, fence, candidate };
    // metadata writes are fenced as well: account, deltas and candidates stay as they are
    const everything = () => database.sql`select array_agg((a, d, c) order by d.nonce)::text as rows
      from guardian.account a join guardian.delta d using (account_id)
      join canonry.candidate c using (candidate_id) where account_id = ${accountId}`;
    await database.sql`select canonry.retire('first')`;
    const before = await everything();
    const landed = { ...claimed, through: held.candidates[1]! };
    expect((await context.writes.promote(landed)).outcome).toBe('fenced');
    const counts = { retries: 1, divergences: 1, abandonments: 1 };
    const later = { ...claimed, delaySeconds: 9, why: 'diverged', error: null, ...counts };
    expect(await context.writes.snooze(later)).toEqual({ held: false });
    expect(await everything()).toEqual(before);
    onChain = word(3);
    await look();
    expect(await delta(2)).toMatchObject({ status: 'canonical' });
  });

  it('a fault of ours is retried and then halts the line', async () => {
    await open1();
    await submit(1, 1, 2);
    onChain = new Error('a bug');
    for (let i = 0; i < 9; i++) await look();
    expect(await delta(1)).toMatchObject({ status: 'candidate', why: 'failed' });
    await look();
    const [row] = await database.sql`select state, last_error from canonry.candidate c
      join guardian.delta d using (candidate_id) where d.account_id = ${accountId}`;
    expect(row).toEqual({ state: 'halted', last_error: 'Error: a bug' });
    const [head] = await database.sql<{ candidate_id: bigint }[]>`
      select candidate_id from guardian.delta where account_id = ${accountId}`;
    await database.sql`select canonry.operate(${head!.candidate_id}, 'discard', 'me', 'test')`;
    expect(await delta(1)).toMatchObject({
      status: 'discarded',
      status_reason: 'client_abandoned',
    });
    expect(await submit(1, 1, 2)).toBe('submitted');
  });
});
