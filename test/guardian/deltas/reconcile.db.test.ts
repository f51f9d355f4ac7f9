/** What becomes of deltas that were given up, on every database (protocol §4.1, §4.8). */
import { describe, expect, it } from 'vitest';
import { everyDatabase } from '../../support/databases.ts';
import { stageOn, word } from './stage.ts';

describe.each(everyDatabase)('deltas that were given up, on $name', ({ open }) => {
  const stage = stageOn(open);

  /** Gives the head of the line up for a commitment that nobody knows. */
  const diverge = async (context = stage.context) => {
    stage.shows = word(99);
    await stage.look(context);
    await stage.look(context);
  };
  /** The given-up deltas of the account, and the last look at them, are so many seconds older. */
  const age = async (seconds: number) => {
    await stage.database.sql`update guardian.delta
      set status_timestamp = status_timestamp - make_interval(secs => ${seconds})
      where account_id = ${stage.accountId} and status in ('retained', 'discarded')`;
  };

  it('forgets a retained delta when its time is over, also when the account moved on', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await diverge();
    await stage.submit(2, 1, 3);
    stage.shows = word(3);
    await stage.look();
    expect(await stage.delta(2)).toMatchObject({ status: 'canonical' });
    stage.looks = 0;
    await stage.reconcile();
    // nothing could land: the chain is not asked, the delta waits for its end
    expect(stage.looks).toBe(0);
    expect(await stage.delta(1)).toMatchObject({ status: 'retained' });
    expect(await stage.reconcilesIn()).toBeGreaterThan(0);
    await age(stage.context.retainedTtlSeconds);
    await stage.reconcile();
    expect(await stage.delta(1)).toBeUndefined();
    await stage.reconcile();
    expect(await stage.reconcilesIn()).toBeUndefined();
  });

  it('goes on after a live candidate: what was built on it may still land', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 3);
    await stage.submit(2, 2, 3, 3);
    await diverge();
    await stage.submit(1, 1, 2, 3);
    await stage.reconcile();
    expect(await stage.reconcilesIn()).toBeGreaterThan(0);
    stage.shows = word(2);
    await stage.look();
    stage.shows = word(3);
    await stage.reconcile();
    expect([await stage.delta(1), await stage.delta(2)]).toMatchObject([
      { status: 'canonical' },
      { status: 'canonical' },
    ]);
    expect((await stage.account()).commitment).toBe(word(3));
  });

  it('retention off: what was built on a forgotten delta is forgotten too', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 3);
    await stage.submit(2, 2, 3, 3);
    await diverge({ ...stage.context, retainedTtlSeconds: 0 });
    expect([await stage.delta(1), await stage.delta(2)]).toEqual([undefined, undefined]);
    expect(await stage.reconcilesIn()).toBeUndefined();
  });

  it('a line that lost its base is looked at again', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await stage.database.sql`update guardian.account set commitment = ${word(7)}
      where account_id = ${stage.accountId}`;
    stage.shows = word(2);
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'retained', why: 'base_lost' });
    expect(await stage.reconcilesIn()).toBeGreaterThan(50);
  });

  it('a delta given up just now does not wait for the pace of an old one, nor put it off', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await diverge();
    await age(900);
    for (let i = 0; i < 20; i++) await stage.reconcile();
    expect(await stage.reconcilesIn()).toBeGreaterThan(500);
    await stage.submit(2, 1, 3);
    await diverge();
    expect(await stage.reconcilesIn()).toBeLessThan(61);
    await stage.reconcile();
    expect(await stage.reconcilesIn()).toBeLessThan(61);
    await stage.database.sql`select graphile_worker.add_job('reconcile',
      json_build_object('account', ${stage.accountId}::text), run_at := now() + interval '5 s',
      job_key := ${`reconcile:${stage.accountId}`})`;
    await stage.submit(3, 1, 4);
    await diverge();
    expect(await stage.reconcilesIn()).toBeLessThan(6);
  });

  it('looks every minute for a quarter of an hour, then at doubling intervals up to ten', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await diverge();
    const waits: number[] = [];
    for (let look = 0; look < 20; look++) {
      if (look === 15) await age(900);
      await stage.reconcile();
      waits.push(Math.round(((await stage.reconcilesIn()) ?? 0) / 60));
    }
    expect(waits.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => 1));
    expect(waits.slice(16)).toEqual([2, 4, 8, 10]);
  });

  it('what its client abandoned is discarded, never retained, whatever ends it', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 3);
    await stage.submit(2, 2, 3, 3);
    expect(await stage.abandon(2)).toBe('pending');
    await diverge();
    const abandoned = { status: 'discarded', status_reason: 'client_abandoned' };
    expect(await stage.delta(1)).toMatchObject({ status: 'retained' });
    expect(await stage.delta(2)).toMatchObject(abandoned);

    await stage.openAccount();
    await stage.submit(1, 1, 2);
    expect(await stage.abandon(1)).toBe('pending');
    await stage.database
      .sql`select canonry.operate(${await stage.candidateOf(1)}, 'skip', 'me', 'test')`;
    expect(await stage.delta(1)).toMatchObject({ ...abandoned, why: 'skipped' });
  });

  it('K4: one step of the chain makes one delta canonical, however often it was submitted', async () => {
    await stage.openAccount();
    for (const nonce of [1, 2, 3]) {
      await stage.submit(nonce, 1, 2);
      await diverge();
    }
    stage.shows = word(2);
    await stage.reconcile();
    const deltas = await Promise.all([1, 2, 3].map((nonce) => stage.delta(nonce)));
    expect(deltas.filter((delta) => delta?.status === 'canonical')).toHaveLength(1);
    expect(deltas.filter((delta) => delta?.status === 'retained')).toHaveLength(2);
    expect((await stage.account()).commitment).toBe(word(2));
    await stage.reconcile();
    expect((await stage.account()).commitment).toBe(word(2));
  });

  it('follows one of two ways to the same result, however many there are', async () => {
    await stage.openAccount();
    // 1 → 11 or 12 → 2 → 21 or 22 → 3 …: every step doubles the ways
    const last = 20;
    let nonce = 0;
    for (let step = 1; step < last; step++) {
      for (const side of [1, 2]) {
        await stage.database.sql`update guardian.account set commitment = ${word(step)}
          where account_id = ${stage.accountId}`;
        const between = step * 100 + side;
        await stage.submit((nonce += 1), step, between, 3);
        await stage.submit((nonce += 1), between, step + 1, 3);
        await diverge();
      }
    }
    await stage.database.sql`update guardian.account set commitment = ${word(1)}
      where account_id = ${stage.accountId}`;
    stage.shows = word(last);
    await stage.reconcile();
    expect((await stage.account()).commitment).toBe(word(last));
    const canonical = await stage.database.sql<{ prev: string; next: string }[]>`
      select prev_commitment as prev, new_commitment as next from guardian.delta
      where account_id = ${stage.accountId} and status = 'canonical' order by nonce`;
    expect(canonical).toHaveLength(2 * (last - 1));
    canonical.slice(1).forEach(({ prev }, n) => expect(prev).toBe(canonical[n]!.next));
  });

  it('a late landing leaves the signers that the account has by then, if its state names none', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await stage.database.sql`update guardian.delta set result_signers = null
      where account_id = ${stage.accountId}`;
    await diverge();
    const rotated = [word(0xdef)];
    await stage.database.sql`update guardian.account
      set signer_commitments = ${rotated}, auth_version = auth_version + 1
      where account_id = ${stage.accountId}`;
    stage.shows = word(2);
    await stage.reconcile();
    const [account] = await stage.database.sql`select commitment, signer_commitments, auth_version
      from guardian.account where account_id = ${stage.accountId}`;
    expect(account).toEqual({ commitment: word(2), signer_commitments: rotated, auth_version: 2n });
  });

  it('an abandoned delta whose time is over keeps its history, not the state it led to', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await stage.database.sql`select canonry.operate(
      ${await stage.candidateOf(1)}, 'discard', 'me', 'test')`;
    const kept = async () => {
      const [row] = await stage.database.sql<{ state: boolean }[]>`
        select result_state is not null as state from guardian.delta
        where account_id = ${stage.accountId} and status = 'discarded'`;
      return row?.state;
    };
    await stage.reconcile();
    expect(await kept()).toBe(true);
    await age(stage.context.retainedTtlSeconds);
    await stage.reconcile();
    expect(await kept()).toBe(false);
    expect(await stage.reconcilesIn()).toBeUndefined();
  });
});
