/** What a request to abandon a delta changes, and what it does not, on every database. */
import { describe, expect, it } from 'vitest';
import { everyDatabase } from '../../support/databases.ts';
import { stageOn, word } from './stage.ts';

describe.each(everyDatabase)('abandoning on $name', ({ open }) => {
  const stage = stageOn(open);

  it.each([86_400, 0])(
    'while the look goes on that ends the delta: it is discarded, also with %s s of retention',
    async (retainedTtlSeconds) => {
      await stage.openAccount();
      await stage.submit(1, 1, 2);
      stage.shows = word(9);
      await stage.look();
      await stage.look({
        ...stage.context,
        retainedTtlSeconds,
        network: {
          commitmentOnChain: async () => {
            expect(await stage.abandon(1)).toBe('pending');
            return word(9);
          },
        },
      });
      expect(await stage.delta(1)).toMatchObject({
        status: 'discarded',
        status_reason: 'client_abandoned',
        why: 'client_abandoned',
      });
    },
  );

  it('a node that lags confirms nothing', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    stage.shows = word(2);
    await stage.look();
    await stage.submit(2, 2, 3);
    expect(await stage.abandon(2)).toBe('pending');
    await stage.ageAbandon(20);
    stage.shows = word(1);
    for (let i = 0; i < 3; i++) await stage.look();
    expect(await stage.delta(2)).toMatchObject({ status: 'candidate', why: 'node_behind' });
    stage.shows = word(2);
    for (let i = 0; i < 2; i++) await stage.look();
    expect(await stage.delta(2)).toMatchObject({ status: 'discarded' });
  });

  it('pipelined: for one behind the head brings the look at the head not forward', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 3);
    await stage.submit(2, 2, 3, 3);
    stage.shows = word(9);
    await stage.look();
    expect(await stage.abandon(2)).toBe('pending');
    await stage.wakeUp();
    expect(stage.looks).toBe(1);
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate', why: 'diverged' });
    expect(await stage.abandon(1)).toBe('pending');
    await stage.wakeUp();
    expect(stage.looks).toBe(2);
  });

  it('pipelined: a delta has landed when one that is built on it has', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2, 3);
    await stage.submit(2, 2, 3, 3);
    const abandon = async (nonce: number, shown: string | null) => {
      const [row] = await stage.database.sql<{ outcome: string }[]>`
        select outcome from guardian.request_abandon(
          ${stage.accountId}, 1, ${word(0xabc)}, ${stage.tick()}, ${nonce}, ${shown})`;
      return row!.outcome;
    };
    expect(await abandon(1, word(3))).toBe('candidate_landed');
    expect(await abandon(2, word(2))).toBe('recorded');
    expect(await abandon(1, word(1))).toBe('recorded');
  });

  it('a candidate in the way says when it is looked at, unless it waits for a person', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await stage.look();
    const details = async () => {
      const [row] = await stage.database.sql<{ details: { retry_after_secs: number | null } }[]>`
        select guardian.refusal_details(${stage.accountId}, 'conflict_pending_delta') as details`;
      return row!.details.retry_after_secs;
    };
    expect(await details()).toBeGreaterThanOrEqual(1);
    await stage.database.sql`update canonry.candidate set state = 'halted'
      where candidate_id = ${await stage.candidateOf(1)}`;
    expect(await details()).toBeNull();
  });
});
