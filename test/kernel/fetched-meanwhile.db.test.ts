/** A wake-up that is given while a worker fetches the one before it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { createDatabase } from '../support/databases.ts';

it.each([
  ['wake', `canonry.wake('test', 'fetched', 'q', null, 'replace')`],
  ['wake_all', `canonry.wake_all('test', '{fetched}', '{q}', null, 'replace')`],
])('K1: %s enqueues, though a worker fetches the job meanwhile', async (_name, wake) => {
  const created = await createDatabase();
  const database = await openDatabase({ databaseUrl: created.url });
  const other = await openDatabase({ databaseUrl: created.url });
  await database.sql`select canonry.submit('test', 'fetched', null)`;
  let woken: Promise<unknown> | undefined;
  await other.sql.begin(async (sql) => {
    await sql`update graphile_worker._private_jobs set locked_by = 'w', locked_at = now()
      where key = 'test:fetched'`;
    woken = Promise.resolve(database.sql.unsafe(`select ${wake}`));
    // between its statement for jobs at work and the one that enqueues it waits for the fetch
    for (let waits = 0; waits === 0; await sleep(5)) {
      const [row] = await sql<{ waits: number }[]>`select count(*)::int as waits
        from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
      waits = row!.waits;
    }
  });
  await woken;
  expect(
    await database.sql`select queue_name, locked_by, key from graphile_worker.jobs
      order by id`,
  ).toMatchObject([
    { key: null, locked_by: 'w' },
    { key: 'test:fetched', locked_by: null, queue_name: 'q' },
  ]);
  await other.close();
  await database.close();
  await created.drop();
});
