/** Queue rows that nothing uses go also while submissions leave no gap between them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { createDatabase } from '../support/databases.ts';

it('many idle rows are worth a wait, few are not', async () => {
  const created = await createDatabase();
  onTestFinished(() => created.drop());
  const database = await openDatabase({ databaseUrl: created.url });
  onTestFinished(() => database.close());
  const { sql } = database;
  await sql`insert into graphile_worker._private_job_queues (queue_name)
    select 'queue ' || n from generate_series(1, 5) n`;
  const remove = async (limit: number) => {
    const [row] = await sql<{ n: number }[]>`select canonry.remove_idle_queues(${limit}) as n`;
    return row!.n;
  };
  /** While a submission is open, which ends as soon as somebody waits for it. */
  const besideSubmission = (limit: number) =>
    sql.begin(async (submission) => {
      await submission`select pg_advisory_xact_lock_shared(7161005377002)`;
      const removed = remove(limit);
      const over = new AbortController();
      void removed.finally(() => over.abort());
      const waits = () => submission`select 1 from pg_locks where not granted
        and database = (select oid from pg_database where datname = current_database())`;
      while (!over.signal.aborted && (await waits()).length === 0) await sleep(1);
      return { removed };
    });
  expect(await (await besideSubmission(3)).removed).toBe(0);
  // its wait is short: on a busy machine it may be over before the submission is
  await expect.poll(async () => (await besideSubmission(2)).removed).toBe(2);
  expect(await remove(10)).toBe(3);
});
