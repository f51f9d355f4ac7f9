/**
 * A burst on a database that was small when its plans were made. Sessions keep the plans of their
 * functions and prepared statements; autovacuum, which would have them made again, comes once a
 * minute. Postgres' own counters show what the kept plans read when the tables have grown.
 */
import { Logger, run } from 'graphile-worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database, type Sql } from '../../src/database/connect.ts';
import { readMigrationFiles } from '../../src/database/migration-files.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';

const known = 60;
const burst = 5_000;
/** Rows and index entries of one table that one account's way through the system may read. */
const readsOfOne = 60;

const nameOf = (n: number) => `0x${n.toString(16).padStart(30, '0')}`;

/**
 * From its submission over a look that waits to canonical, and what else may happen to an account:
 * a second delta is abandoned and given up, somebody logs in, a signed read.
 */
async function passThrough(sql: Sql, n: number): Promise<void> {
  const account = nameOf(n);
  let at = Date.now();
  const submit = async (nonce: number, from: string, to: string) => {
    at += 1;
    const item = {
      account_id: account,
      auth_version: 1,
      signer: 's',
      timestamp: at,
      verdict: 'valid',
      nonce,
      prev_commitment: from,
      new_commitment: to,
      summary_commitment: 'm',
      payload: '{"data":"y"}',
      ack_scheme: 'ecdsa',
      ack_pubkey: 'k',
      ack_signature: 'a',
      state: '\\x02',
      signers: ['s'],
      bound_here: true,
      queue_name: `account:${account}`,
    };
    const [row] = await sql<{ outcome: string }[]>`
      select outcome from guardian.submit_deltas(${JSON.stringify([item])}::text::json, 1)`;
    expect(row?.outcome).toBe('submitted');
  };
  const claim = async () => {
    const [head] = await sql<{ line_id: bigint; fence: bigint; candidate_id: bigint }[]>`
      select * from guardian.claim_delta(${account}, 'w', 0)`;
    return head!;
  };
  await submit(1, 'c1', 'c2');
  const waiting = await claim();
  await sql`select guardian.snooze_deltas(${JSON.stringify([
    {
      line: String(waiting.line_id),
      fence: String(waiting.fence),
      candidate: String(waiting.candidate_id),
      delaySeconds: 0,
      why: 'x',
      error: null,
      retries: 1,
      divergences: 0,
      abandonments: 0,
    },
  ])}::text::json)`;
  const landed = await claim();
  const [promoted] = await sql<{ outcome: string }[]>`
    select outcome from guardian.promote_delta(${account}, ${landed.line_id}, ${landed.fence},
      ${landed.candidate_id}, ${landed.candidate_id})`;
  expect(promoted?.outcome).toBe('promoted');
  await submit(2, 'c2', 'c3');
  at += 1;
  await sql`select guardian.request_abandon(${account}, 1, 's', ${at}, 2, null)`;
  const lost = await claim();
  const [given] = await sql<{ outcome: string }[]>`
    select outcome from guardian.give_up_delta(${account}, ${lost.line_id}, ${lost.fence},
      ${lost.candidate_id}, 'discarded', 'client_abandoned', 60, null)`;
  expect(given?.outcome).toBe('abandoned');
  at += 1;
  await sql`select guardian.admit_read(${account}, 1, 'ecdsa', '{s}', ${at})`;
  await sql`select guardian.issue_challenge('realm', ${account}, ${account}, '{}', 60, 4)`;
}

describe.each([15, 18] as const)('a burst on a small database, Postgres %s', (version) => {
  let created: TestDatabase;
  /** Sessions by when they made their plans: before autovacuum saw the small tables, or after. */
  let early: Database;
  let late: Database;

  beforeAll(async () => {
    created = await createDatabase({ version });
    const openSession = () =>
      openDatabase({
        databaseUrl: created.url,
        maxConnections: 1,
        preparedStatements: true,
        statementTimeoutMs: 100_000,
      });
    early = await openSession();
    const { sql } = early;
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
    let n = 0;
    const warm = async (session: Database) => {
      for (let i = 0; i < known / 3; i++) await passThrough(session.sql, (n += 1));
    };
    await warm(early);
    await sql`vacuum analyze`.simple();
    await warm(early);
    late = await openSession();
    await warm(late);
    await accounts(known + 1, known + burst);
    await sql`select count(*) from (
      select guardian.submit_delta(account_id, 1, 's', (extract(epoch from now()) * 1000)::bigint,
        'valid', 1, 'c1', 'c2', 'm', '{"data":"y"}', 'ecdsa', 'k', 'a', '\\x02', array['s'], true,
        'account:' || account_id, 1)
      from guardian.account order by account_id offset ${known} limit ${burst - 100}) s`;
    await sql`insert into guardian.auth_challenge
        (realm, challenge_key, principal, payload, issued_at, expires_at)
      select 'realm', account_id, account_id, '{}', now(), now() + interval '1 hour'
      from guardian.account order by account_id offset ${known} limit ${burst - 100}`;
  }, 120_000);
  afterAll(async () => {
    await late?.close();
    await early?.close();
    await created?.drop();
  });

  /** Rows and index entries read so far, by table. */
  const reads = async () => {
    for (const { sql } of [early, late]) await sql`select pg_stat_force_next_flush()`;
    const rows = await early.sql<{ name: string; scans: number; read: number }[]>`
      select t.relname as name, t.seq_scan::int as scans,
        (t.seq_tup_read + coalesce(sum(i.idx_tup_read), 0))::int as read
      from pg_stat_user_tables t left join pg_stat_user_indexes i using (relid)
      where t.schemaname in ('canonry', 'guardian', 'graphile_worker')
      group by t.relid, t.relname, t.seq_scan, t.seq_tup_read order by 1`;
    return new Map(rows.map(({ name, scans, read }) => [name, { scans, read }]));
  };
  /** What `work` reads: the tables it scanned, and those of which it read more than `most` rows. */
  const costOf = async (work: () => Promise<unknown>, most: number) => {
    const before = await reads();
    await work();
    return [...(await reads())].flatMap(([name, { scans, read }]) => {
      const scanned = scans - before.get(name)!.scans;
      const rows = read - before.get(name)!.read;
      return scanned > 0 || rows > most ? [{ name, scanned, rows }] : [];
    });
  };

  it('every function that a process calls says how it is planned', async () => {
    const called = new Set(readMigrationFiles().roles!.grants.match(/\b(canonry|guardian)\.\w+/g));
    const rows = await early.sql<{ name: string; config: string[] | null }[]>`
      select p.oid::regproc::text as name, proconfig as config
      from pg_proc p join pg_language l on l.oid = prolang
      where pronamespace::regnamespace::text in ('canonry', 'guardian') and lanname = 'plpgsql'`;
    const entries = rows.filter(({ name }) => called.has(name));
    expect(entries.length).toBeGreaterThan(25);
    for (const { name, config } of entries) {
      expect({ name, config }).toEqual({
        name,
        config: expect.arrayContaining(['enable_seqscan=off', 'jit=off']),
      });
    }
  });

  it.each(['early', 'late'] as const)(
    'an account passes through without reading those of others: plans made %s',
    async (when) => {
      const { sql } = { early, late }[when];
      const accounts = 20;
      const first = known + burst - (when === 'early' ? 0 : accounts);
      const work = async () => {
        for (let n = 0; n < accounts; n++) await passThrough(sql, first - n);
      };
      expect(await costOf(work, accounts * readsOfOne)).toEqual([]);
    },
  );

  it('the sweep of a backlog reads each head once, and so does the removal of idle queues', async () => {
    const { sql } = late;
    await sql`update canonry.candidate set next_attempt_at = now() - interval '1 minute'
      where resolved_at is null`;
    const most = 8 * burst;
    const read = async (work: () => Promise<unknown>) =>
      (await costOf(work, most)).filter(({ rows }) => rows > most);
    expect(await read(() => sql`select canonry.sweep(5)`)).toEqual([]);
    expect(await read(() => sql`select canonry.remove_idle_queues(1000)`)).toEqual([]);
  });

  it("so do the job engine's own statements", async () => {
    const { sql } = early;
    const add = (count: number) => sql`select count(*) from graphile_worker.add_jobs(array(
      select ('noop', '{}', null, null, null, null, null, null)::graphile_worker.job_spec
      from generate_series(1, ${count}::int)))`;
    let left = 0;
    let emptied = Promise.withResolvers<void>();
    const runner = await run({
      pgPool: early.workerPool(),
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
