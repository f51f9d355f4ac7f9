/** Deltas that were given up and whose job is gone, on every database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import { unwatchedAccounts } from '../../../src/guardian/deltas/reconcile.ts';
import { auditOf } from '../../../src/kernel/inspect.ts';
import { retryJob } from '../../../src/kernel/operate.ts';
import { everyDatabase } from '../../support/databases.ts';
import { Stage, word } from './stage.ts';

describe.each(everyDatabase)('given up deltas on $name', ({ open }) => {
  let database: Database;
  let stage: Stage;

  beforeAll(async () => {
    database = await open();
    stage = new Stage(database);
  });
  afterAll(() => database.close());

  it('are seen when their job is gone, and looked after again when a person says so', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    // twice something else on chain: it is given up
    stage.shows = word(99);
    await stage.look();
    await stage.look();
    expect(await unwatchedAccounts(database.sql)).toEqual([]);
    await database.sql`select graphile_worker.remove_job(${`reconcile:${stage.accountId}`})`;
    expect(await unwatchedAccounts(database.sql)).toEqual([stage.accountId]);
    const job = { task: 'reconcile', account: stage.accountId };
    expect(await retryJob(database.sql, { ...job, task: 'unknown' }, 'me', 'r')).toBe('not_found');
    expect(await retryJob(database.sql, job, 'me', 'lost')).toBe('done');
    expect(await unwatchedAccounts(database.sql)).toEqual([]);
    expect(await stage.reconcilesIn()).toBeLessThanOrEqual(0);
    expect((await auditOf(database.sql, stage.accountId, 1))[0]).toMatchObject({
      actor: 'me',
      action: 'retry',
      task: 'reconcile',
      candidate_id: 0n,
      reason: 'lost',
    });
    await database.sql`update guardian.delta set status_timestamp = status_timestamp - interval '2 days'`;
    await stage.reconcile();
    expect(await unwatchedAccounts(database.sql)).toEqual([]);
  });

  it('are seen also when their client abandoned them, until their time is over', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    await stage.abandon(1);
    await database.sql`update guardian.delta
      set abandon_requested_at = abandon_requested_at - interval '20 seconds'
      where account_id = ${stage.accountId}`;
    stage.shows = word(1);
    await stage.look();
    await stage.look();
    expect(await stage.delta(1)).toMatchObject({ status: 'discarded' });
    expect(await unwatchedAccounts(database.sql)).toEqual([]);
    await database.sql`select graphile_worker.remove_job(${`reconcile:${stage.accountId}`})`;
    expect(await unwatchedAccounts(database.sql)).toEqual([stage.accountId]);
    await database.sql`update guardian.delta set status_timestamp = status_timestamp - interval '2 days'`;
    await stage.reconcile();
    expect(await unwatchedAccounts(database.sql)).toEqual([]);
  });
});
