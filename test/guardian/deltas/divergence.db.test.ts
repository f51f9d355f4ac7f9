/** What a chain that shows a foreign commitment leads to, on every database. */
import { describe, expect, it } from 'vitest';
import { everyDatabase } from '../../support/databases.ts';
import { stageOn, word } from './stage.ts';

describe.each(everyDatabase)('divergence on $name', ({ open }) => {
  const stage = stageOn(open);

  it('retains a diverged delta at the second look, and takes it back when it lands', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    stage.shows = word(9);
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate', why: 'diverged' });
    stage.shows = word(1);
    await stage.look();
    stage.shows = word(9);
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate' });
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'retained', status_reason: 'diverged' });
    expect((await stage.account()).commitment).toBe(word(1));

    await stage.reconcile();
    expect(await stage.delta(1)).toMatchObject({ status: 'retained' });
    expect(await stage.reconcilesIn()).toBeGreaterThan(30);
    stage.shows = word(2);
    await stage.reconcile();
    expect(await stage.delta(1)).toMatchObject({ status: 'canonical' });
    expect((await stage.account()).commitment).toBe(word(2));
    expect(await stage.reconcilesIn()).toBeUndefined();
  });

  it('does not look twice at a divergence within ten seconds', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    stage.shows = word(9);
    await stage.look();
    await stage.wakeUp();
    expect(stage.looks).toBe(1);
    const [head] = await stage.database.sql<{ seconds: number }[]>`
      select extract(epoch from next_attempt_at - now())::float8 as seconds
      from canonry.candidate c join guardian.delta d using (candidate_id)
      where d.account_id = ${stage.accountId}`;
    expect(head!.seconds).toBeGreaterThan(9);
    expect(head!.seconds).toBeLessThan(13);
  });

  it('takes a node that lags behind the canonical state for no divergence', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    stage.shows = word(2);
    await stage.look();
    await stage.submit(2, 2, 3);
    stage.shows = word(1);
    for (let i = 0; i < 3; i++) await stage.look();
    expect(await stage.delta(2)).toMatchObject({ status: 'candidate', why: 'node_behind' });
    stage.shows = word(3);
    await stage.look();
    expect(await stage.delta(2)).toMatchObject({ status: 'canonical' });
  });

  it('a repeated request to abandon brings no confirming look forward', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    expect(await stage.abandon(1)).toBe('pending');
    await stage.ageAbandon(20);
    stage.shows = word(9);
    await stage.wakeUp();
    expect(stage.looks).toBe(1);
    expect(await stage.abandon(1)).toBe('pending');
    await stage.wakeUp();
    expect(stage.looks).toBe(1);
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate', why: 'diverged' });
  });

  it('forgets instead of retaining when retention is off', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    stage.shows = word(9);
    const off = { ...stage.context, retainedTtlSeconds: 0 };
    for (let i = 0; i < 2; i++) await stage.look(off);
    expect(await stage.delta(1)).toBeUndefined();
    expect(await stage.submit(1, 1, 3)).toBe('submitted');
  });

  it('pipelined: what was built on a delta that is given up is parked with the reason', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 3);
    await stage.submit(2, 2, 3, 3);
    stage.shows = word(9);
    await stage.look();
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'retained', why: 'diverged' });
    expect(await stage.delta(2)).toMatchObject({ status: 'retained', why: 'base_lost' });
    // both land after all: one look at the chain takes both back
    stage.shows = word(3);
    await stage.reconcile();
    expect([await stage.delta(1), await stage.delta(2)]).toMatchObject([
      { status: 'canonical' },
      { status: 'canonical' },
    ]);
    expect((await stage.account()).commitment).toBe(word(3));
  });

  it('pipelined: a candidate that came and landed after the claim is no divergence', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 3);
    // the look sees the result of a candidate that was submitted while it looked
    await stage.look({
      ...stage.context,
      network: {
        commitmentOnChain: async () => {
          await stage.submit(2, 2, 3, 3);
          return word(3);
        },
      },
    });
    expect([await stage.delta(1), await stage.delta(2)]).toMatchObject([
      { status: 'canonical' },
      { status: 'canonical' },
    ]);
  });

  it('pipelined: giving up counts for nothing when the commitment is of a candidate by now', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 3);
    const head = await stage.context.writes.claim({ account: stage.accountId, holder: 'worker' });
    await stage.submit(2, 2, 3, 3);
    const giveUp = async (seen: string) => {
      const [row] = await stage.database.sql<{ outcome: string }[]>`
        select outcome from guardian.give_up_delta(${stage.accountId}, ${head.line_id}, ${head.fence},
          ${head.candidate_id}, 'retained', 'diverged', 60, ${seen})`;
      return row!.outcome;
    };
    expect(await giveUp(word(3))).toBe('look_again');
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate' });
    expect(await giveUp(word(9))).toBe('resolved');
    expect(await stage.delta(1)).toMatchObject({ status: 'retained' });
  });
});
