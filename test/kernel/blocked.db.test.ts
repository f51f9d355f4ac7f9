/** What a row that somebody has locked holds up, and what not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/database/connect.ts';
import { groupCommit, rowsAsJson } from '../../src/kernel/group-commit.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';

let created: TestDatabase;
let database: Database;
/** With a worker's lock timeout, shortened. */
let worker: Database;

beforeAll(async () => {
  created = await createDatabase();
  database = await openDatabase({ databaseUrl: created.url });
  worker = await openDatabase({ databaseUrl: created.url, lockTimeoutMs: 100 });
});
afterAll(async () => {
  await Promise.all([database.close(), worker.close()]);
  await created.drop();
});

/** A candidate whose line a worker holds; its wake-up is locked by that worker too. */
async function held(account: string, holder: string): Promise<void> {
  await database.sql`select canonry.submit('test', ${account}, null)`;
  await database.sql`select canonry.claim('test', ${account}, ${holder}, 30)`;
  await database.sql`update canonry.line set claimed_at = now() - interval '1 minute'
    where account = ${account}`;
  await database.sql`update graphile_worker._private_jobs
    set locked_by = ${holder}, locked_at = now() - interval '1 minute'
    where key = ${`test:${account}`}`;
}

const holders = async (...accounts: string[]) => {
  const lines = await database.sql<{ holder: string | null }[]>`
    select holder from canonry.line where account = any (${accounts}) order by account`;
  return lines.map(({ holder }) => holder);
};

it.each([
  ['line', `select 1 from canonry.line where account = 'locked' for update`],
  ['wake-up', `select 1 from graphile_worker._private_jobs where key = 'test:locked' for update`],
])(
  'K6: a person who has the %s of a dead worker keeps nothing but that line waiting',
  async (_what, lock) => {
    await held('free', 'dead');
    await held('locked', 'dead');
    await database.sql`insert into canonry.worker (worker_id, beat_at)
      values ('dead', now() - interval '1 minute')`;
    await database.sql.begin(async (person) => {
      await person.unsafe(lock);
      const retired = await worker.sql`select canonry.beat('alive', 0.2, '{}') as worker`;
      expect(retired).toEqual([{ worker: 'dead' }]);
      expect(await holders('free', 'locked')).toEqual([null, 'dead']);
      // nor does it keep a later sweep from its other work
      await worker.sql`select canonry.sweep(5)`;
    });
    await worker.sql`select canonry.sweep(5)`;
    expect(await holders('free', 'locked')).toEqual([null, null]);
    const locked = await database.sql`
      select 1 from graphile_worker.jobs where locked_by = 'dead'`;
    expect(locked).toHaveLength(0);
    await database.sql`truncate canonry.line, canonry.candidate, canonry.worker,
      graphile_worker._private_jobs cascade`;
  },
);

/** Resolves when so many statements on this database wait for a lock. */
async function untilWaiting(wanted: number): Promise<void> {
  for (let waits = 0; waits < wanted; await sleep(5)) {
    const [row] = await database.sql<{ waits: number }[]>`select count(*)::int as waits
      from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    waits = row!.waits;
  }
}

// A line whose wake-up came from a snooze has no queue row: whoever names the queue adds it.
const handOver = async () => {
  const [line] = await database.sql<{ line_id: bigint; fence: bigint }[]>`
    select line_id, fence from canonry.line where account = 'both'`;
  return database.sql`
    select canonry.hand_over(${line!.line_id}, ${line!.fence}, 'account:both') as done`;
};

it('K6: a hand-over and a group of submissions do not wait for each other in a circle', async () => {
  await held('both', 'worker');
  let handedOver: Promise<unknown> | undefined;
  await database.sql.begin(async (sql) => {
    // as guardian.submit_deltas begins, and below ends
    const [wakeUp] = await sql`select canonry.try_wake_lock('test', 'both') as free`;
    expect(wakeUp).toEqual({ free: true });
    handedOver = handOver();
    await untilWaiting(1);
    await sql`set local lock_timeout = '2s'`;
    await sql`select canonry.wake_all('test', '{both}', '{account:both}', null, 'preserve_run_at')`;
  });
  expect(await handedOver).toEqual([{ done: true }]);
});

it('K6: nor do a hand-over and a submission by itself', async () => {
  await database.sql`truncate canonry.line, canonry.candidate, graphile_worker._private_jobs,
    graphile_worker._private_job_queues cascade`;
  await held('both', 'worker');
  let handedOver: Promise<unknown> | undefined;
  let submitted: Promise<unknown> | undefined;
  await database.sql.begin(async (engine) => {
    await engine`select 1 from graphile_worker._private_jobs where key = 'test:both' for update`;
    handedOver = handOver();
    await untilWaiting(1);
    submitted = Promise.resolve(
      database.sql`select canonry.submit('test', 'both', 'account:both') is not null as done`,
    );
    await untilWaiting(2);
  });
  expect(await Promise.all([handedOver, submitted])).toEqual([[{ done: true }], [{ done: true }]]);
});

it('an account that somebody holds locked does not hold up those written with it', async () => {
  await database.sql`create table public.account (name text primary key, written int default 0)`;
  await database.sql`insert into public.account select 'account ' || n from generate_series(1, 9) n`;
  const write = groupCommit<string, { name: string }>({
    lockKey: (name) => name,
    write: (names) => worker.sql<{ name: string }[]>`
      with given as (
        select i.name from json_to_recordset(
          ${rowsAsJson(names.map((name) => ({ name })))}::text::json) as i(name text)
      ), done as (
        update public.account a set written = written + 1 from given g where a.name = g.name
        returning a.name
      ) select g.name from given g join done using (name)`,
  });
  const release = Promise.withResolvers<void>();
  const isLocked = Promise.withResolvers<void>();
  const blocking = database.sql.begin(async (sql) => {
    await sql`select 1 from public.account where name = 'account 5' for update`;
    isLocked.resolve();
    await release.promise;
  });
  await isLocked.promise;
  const names = Array.from({ length: 9 }, (_, n) => `account ${n + 1}`);
  const settled = await Promise.allSettled(names.map((name) => write(name)));
  expect(settled.filter(({ status }) => status === 'rejected')).toMatchObject([
    { reason: { code: '55P03' } },
  ]);
  expect(settled[4]).toMatchObject({ status: 'rejected' });
  release.resolve();
  await blocking;
  expect(
    await database.sql`select count(*)::int as n from public.account where written = 1`,
  ).toEqual([{ n: 8 }]);
});
