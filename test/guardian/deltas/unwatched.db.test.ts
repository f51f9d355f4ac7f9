/** Deltas that were given up and whose job is gone, on every database. */
import { describe, expect, it } from 'vitest';
import { unwatchedAccounts } from '../../../src/guardian/deltas/reconcile.ts';
import { auditOf } from '../../../src/kernel/inspect.ts';
import { retryJob } from '../../../src/kernel/operate.ts';
import { everyDatabase } from '../../support/databases.ts';
import { stageOn, word } from './stage.ts';

describe.each(everyDatabase)('given up deltas on $name', ({ open }) => {
  const stage = stageOn(open);

  it('are seen when their job is gone, and looked after again when a person says so', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    // twice something else on chain: it is given up
    stage.shows = word(99);
    await stage.look();
    await stage.look();
    expect(await unwatchedAccounts(stage.database.sql)).toEqual([]);
    await stage.database.sql`select graphile_worker.remove_job(${`reconcile:${stage.accountId}`})`;
    expect(await unwatchedAccounts(stage.database.sql)).toEqual([stage.accountId]);
    const job = { task: 'reconcile', account: stage.accountId };
    expect(await retryJob(stage.database.sql, { ...job, task: 'unknown' }, 'me', 'r')).toBe(
      'not_found',
    );
    expect(await retryJob(stage.database.sql, job, 'me', 'lost')).toBe('done');
    expect(await unwatchedAccounts(stage.database.sql)).toEqual([]);
    expect(await stage.reconcilesIn()).toBeLessThanOrEqual(0);
    expect((await auditOf(stage.database.sql, stage.accountId, 1))[0]).toMatchObject({
      actor: 'me',
      action: 'retry',
      task: 'reconcile',
      candidate_id: 0n,
      reason: 'lost',
    });
    await stage.database
      .sql`update guardian.delta set status_timestamp = status_timestamp - interval '2 days'`;
    await stage.reconcile();
    expect(await unwatchedAccounts(stage.database.sql)).toEqual([]);
  });

  it('are seen also when their client abandoned them, until their time is over', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await stage.abandon(1);
    await stage.ageAbandon(20);
    stage.shows = word(1);
    await stage.look();
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'discarded' });
    expect(await unwatchedAccounts(stage.database.sql)).toEqual([]);
    await stage.database.sql`select graphile_worker.remove_job(${`reconcile:${stage.accountId}`})`;
    expect(await unwatchedAccounts(stage.database.sql)).toEqual([stage.accountId]);
    await stage.database
      .sql`update guardian.delta set status_timestamp = status_timestamp - interval '2 days'`;
    await stage.reconcile();
    expect(await unwatchedAccounts(stage.database.sql)).toEqual([]);
  });
});
