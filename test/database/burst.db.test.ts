/**
 * A burst on a database that was small when its plans were made. Sessions keep the plans of their
 * functions and prepared statements; autovacuum, which would have them made again, comes once a
 * minute. Postgres' own counters show what the kept plans read when the tables have grown.
 */
import { Logger, run } from 'graphile-worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database, type Sql } from '../../src/database/connect.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';

const known = 40;
const burst = 5_000;
/** Rows one account's way through the system may read, of all tables together. */
const readsOfOne = 200;

const nameOf = (n: number) => `0x${n.toString(16).padStart(30, '0')}`;

/** From its submission to canonical, over one look that waits, and a signed read. */
async function passThrough(sql: Sql, n: number): Promise<void> {
  const account = nameOf(n);
  const at = Date.now();
  const [submitted] = await sql<{ outcome: string }[]>`select outcome from guardian.submit_delta(
    ${account}, 1, 's', ${at}, 'valid', 1, 'c1', 'c2', 'm', '{"data":"y"}', 'ecdsa', 'k', 'a',
    '\\x02', array['s'], true, ${`account:${account}`}, 1)`;
  expect(submitted?.outcome).toBe('submitted');
  await sql`select guardian.snooze_delta(
    h.line_id, h.fence, h.candidate_id, 0, 'x', null, 1, 0, 0)
    from guardian.claim_delta(${account}, 'w', 0) h`;
  const [promoted] = await sql<{ outcome: string }[]>`
    select r.outcome from guardian.claim_delta(${account}, 'w', 0) h,
      guardian.promote_delta(${account}, h.line_id, h.fence, h.candidate_id, h.candidate_id) r`;
  expect(promoted?.outcome).toBe('promoted');
  await sql`select guardian.admit_read(${account}, 1, 'ecdsa', '{s}', ${at + 1})`;
}

describe.each([15, 18] as const)('a burst on a small database, Postgres %s', (version) => {
  let created: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    created = await createDatabase({ version });
    // one session for everything, so that its plans are those that were made first
    database = await openDatabase({
      databaseUrl: created.url,
      maxConnections: 1,
      preparedStatements: true,
      statementTimeoutMs: 100_000,
    });
    const { sql } = database;
    await sql`do $$ declare name text; begin
      for name in select oid::regclass::text from pg_class where relkind = 'r'
        and relnamespace::regnamespace::text in ('canonry', 'guardian', 'graphile_worker')
      loop
        execute 'alter table ' || name || ' set (autovacuum_enabled = false)';
      end loop;
    end $$`.simple();
    const accounts = (from: number, to: number) => sql`
      insert into guardian.account
        (account_id, auth_scheme, signer_commitments, commitment, state)
      select '0x' || lpad(to_hex(n), 30, '0'), 'ecdsa', array['s'], 'c1', '\\x01'
      from generate_series(${from}::int, ${to}::int) n`;
    await accounts(1, known);
    for (let n = 1; n <= known / 2; n++) await passThrough(sql, n);
    await sql`vacuum analyze`.simple();
    for (let n = known / 2; n < known; n++) await passThrough(sql, n + 1);
    await accounts(known + 1, known + burst);
    await sql`select count(*) from (
      select guardian.submit_delta(account_id, 1, 's', (extract(epoch from now()) * 1000)::bigint,
        'valid', 1, 'c1', 'c2', 'm', '{"data":"y"}', 'ecdsa', 'k', 'a', '\\x02', array['s'], true,
        'account:' || account_id, 1)
      from guardian.account order by account_id offset ${known} limit ${burst - 100}) s`;
  }, 120_000);
  afterAll(async () => {
    await database.close();
    await created.drop();
  });

  const reads = async () => {
    await database.sql`select pg_stat_force_next_flush()`;
    return database.sql<{ name: string; scans: number; read: number }[]>`
      select relname as name, seq_scan::int as scans,
        (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read
      from pg_stat_user_tables where schemaname in ('canonry', 'guardian', 'graphile_worker')
      order by 1`;
  };

  it('every function of ours says how it is planned', async () => {
    const rows = await database.sql`
      select p.oid::regprocedure::text as name from pg_proc p join pg_language l on l.oid = prolang
      where pronamespace::regnamespace::text in ('canonry', 'guardian') and lanname = 'plpgsql'
        and proname <> 'refuse_change' -- a trigger that only raises
        and proconfig @> '{enable_seqscan=off,jit=off}' is not true`;
    expect(rows).toEqual([]);
  });

  it('an account passes through without reading those of others', async () => {
    const before = await reads();
    const accounts = 20;
    for (let n = 0; n < accounts; n++) await passThrough(database.sql, known + burst - n);
    const after = await reads();
    const scans = (rows: typeof before) => rows.map(({ name, scans: of }) => ({ name, of }));
    expect(scans(after)).toEqual(scans(before));
    const read = (rows: typeof before) => rows.reduce((sum, row) => sum + row.read, 0);
    expect(read(after) - read(before)).toBeLessThan(accounts * readsOfOne);
  });

  it("so do the job engine's own statements", async () => {
    const { sql } = database;
    const add = (count: number) => sql`select count(*) from graphile_worker.add_jobs(array(
      select ('noop', '{}', null, null, null, null, null, null)::graphile_worker.job_spec
      from generate_series(1, ${count}::int)))`;
    let left = 0;
    let emptied = Promise.withResolvers<void>();
    const runner = await run({
      pgPool: database.workerPool(),
      // fetches come from one session: its plans are those of the first jobs
      preset: { worker: { concurrentJobs: 1, maxPoolSize: 10 } },
      taskList: { noop: () => (--left === 0 ? emptied.resolve() : undefined) },
      noHandleSignals: true,
      logger: new Logger(() => () => {}),
    });
    const work = async (jobs: number) => {
      left = jobs;
      emptied = Promise.withResolvers();
      await add(jobs);
      await emptied.promise;
    };
    for (let n = 0; n < 20; n++) await work(1);
    await sql`vacuum analyze graphile_worker._private_jobs`.simple();
    for (let n = 0; n < 20; n++) await work(1);
    const scanned = async () => {
      await sql`select pg_stat_force_next_flush()`;
      const [row] = await sql<{ read: number }[]>`select seq_tup_read::int as read
        from pg_stat_user_tables where relname = '_private_jobs'`;
      return row?.read;
    };
    const before = await scanned();
    await work(1_000);
    await runner.stop();
    // a stop reads the table, a fetch does not: with plans of a small table it was 100 rows a job
    expect((await scanned())! - before!).toBeLessThan(20 * 1_000);
  });
});
