/** Writes about one account wait for each other, and never for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../../src/database/connect.ts';
import { exchange, openInProcess, type Service } from '../../http/service.ts';
import { openHolder } from '../../http/signed.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';

const signer = 's';

describe('locks', () => {
  let created: TestDatabase;
  let database: Database;
  let service: Service;
  let other: postgres.Sql;
  beforeAll(async () => {
    created = await createDatabase();
    database = await openDatabase({ databaseUrl: created.url });
    service = await openInProcess({}, database);
    other = postgres(created.url, { max: 1 });
  });
  afterAll(async () => {
    await other?.end();
    await service?.close();
    await database?.close();
    await created?.drop();
  });

  /** An account with a candidate. */
  const openPending = async () => {
    const holder = await openHolder(service.send);
    const { status } = await exchange(service, holder.post('/delta', holder.deltaBody(1)));
    expect(status).toBe(200);
    return holder.accountId;
  };
  /** Starts a statement on the other connection, and waits until it waits for a lock. */
  const blocked = async (start: () => PromiseLike<postgres.Row[]>) => {
    const [connection] = await other<{ pid: number }[]>`select pg_backend_pid() as pid`;
    // a statement is sent when somebody waits for it
    const answer = Promise.resolve(start()).catch((error: Error) => [{ outcome: error.message }]);
    const progress = { isDone: false };
    void answer.then(() => {
      progress.isDone = true;
    });
    while (!progress.isDone) {
      const [activity] = await database.sql`
        select wait_event_type from pg_stat_activity where pid = ${connection!.pid}`;
      if (activity?.['wait_event_type'] === 'Lock') break;
      await sleep(10);
    }
    expect(progress.isDone).toBe(false);
    return () => answer;
  };

  it('a request to abandon waits for a look that writes, and not the other way round', async () => {
    const accountId = await openPending();
    const [head] = await database.sql`
      select line_id, fence, candidate_id from guardian.claim_delta(${accountId}, 'w', 30)`;
    const abandoned = await database.sql.begin(async (look) => {
      // as guardian.snooze_deltas begins, and below goes on
      await look`select canonry.snooze(${head!['line_id']}, ${head!['fence']},
        ${head!['candidate_id']}, 1, 'waits', null)`;
      const request = await blocked(
        () => other`select outcome from guardian.request_abandon(
          ${accountId}, 1, ${signer}, ${Date.now()}, 1, null)`,
      );
      await look`update guardian.delta set retry_count = 1 where account_id = ${accountId}`;
      return request;
    });
    expect(await abandoned()).toEqual([{ outcome: 'recorded' }]);
  });

  it('a cosigner’s signature waits for another write of the same signer', async () => {
    const accountId = await openPending();
    const now = Date.now();
    const signed = await database.sql.begin(async (write) => {
      await write`select 1 from guardian.account where account_id = ${accountId} for no key update`;
      const request = await blocked(
        () => other`select * from guardian.sign_proposal(
          ${accountId}, 1, ${signer}, ${now + 1}, 'valid', 'c', ${signer}, '{}') s (outcome)`,
      );
      await write`select guardian.admit(${accountId}, 1, ${signer}, ${now})`;
      return request;
    });
    expect(await signed()).toEqual([{ outcome: 'proposal_not_found' }]);
  });

  it('K2: a policy that skips a candidate waits for whoever builds on it, before it takes the line', async () => {
    const accountId = await openPending();
    const [head] = await database.sql`
      select line_id, fence, candidate_id from guardian.claim_delta(${accountId}, 'w', 30)`;
    const skipped = await database.sql.begin(async (submission) => {
      await submission`select 1 from guardian.account
        where account_id = ${accountId} for no key update`;
      const failure = await blocked(
        () => other`select canonry.fail(${head!['line_id']}, ${head!['fence']},
          ${head!['candidate_id']}, 'no rule', null, 'skip') as outcome`,
      );
      await submission`select 1 from canonry.line where account = ${accountId} for update nowait`;
      return failure;
    });
    expect(await skipped()).toEqual([{ outcome: true }]);
  });
});
