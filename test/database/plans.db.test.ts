/**
 * No statement of the product reads a whole table that grows: on tables of some size, Postgres'
 * own counters must show no sequential scan. They count what the plans inside the functions do.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database, type Sql } from '../../src/database/connect.ts';
import { unwatchedAccounts } from '../../src/guardian/deltas/reconcile.ts';
import { explainAccount, auditOf, failedCandidates } from '../../src/kernel/inspect.ts';
import { retryJob } from '../../src/kernel/operate.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';

const rows = 20_000;
const account = `0x${'1'.padStart(30, '0')}`;
const now = Date.now();

const submit = (sql: Sql, nonce: number, from: string, to: string, at: number) =>
  sql`select outcome from guardian.submit_delta(
    ${account}, 1, 's', ${at}, 'valid', ${nonce}, ${from}, ${to}, 'm',
    '{"data":"y"}', 'ecdsa', 'k', 'a', '\\x02', array['s'], true, 'q', 3)`;

/** What the processes do to one account that has one candidate on the base `c1`. */
const operations: [name: string, run: (sql: Sql) => Promise<unknown>][] = [
  [
    'a signed read',
    (sql) => sql`select guardian.admit_read(${account}, 1, 'ecdsa', '{s}', ${now})`,
  ],
  [
    'a signed read of an account that is not remembered',
    (sql) => sql`select guardian.admit_read(${account}, null, 'ecdsa', '{x,s}', ${now})`,
  ],
  ['a submission', (sql) => submit(sql, 10, 'c1', 'c2', now + 11)],
  ['a pipelined submission', (sql) => submit(sql, 11, 'c2', 'c3', now + 12)],
  ['a conflict', (sql) => submit(sql, 12, 'c1', 'c9', now + 13)],
  [
    'a look that waits',
    (sql) => sql`select guardian.snooze_delta(
      h.line_id, h.fence, h.candidate_id, 0, 'x', null, 1, 0, 0)
      from guardian.claim_delta(${account}, 'w', 0) h`,
  ],
  [
    'a promotion',
    (sql) => sql`select r.outcome from guardian.claim_delta(${account}, 'w', 0) h,
      guardian.promote_delta(${account}, h.line_id, h.fence, h.candidate_id, h.candidate_id) r`,
  ],
  [
    'giving up',
    (sql) => sql`select r.outcome from guardian.claim_delta(${account}, 'w', 0) h,
      guardian.give_up_delta(${account}, h.line_id, h.fence, h.candidate_id, 'retained',
        'diverged', 60, null) r`,
  ],
  [
    'a commitment that a claim says nothing of',
    (sql) => sql`select * from guardian.known_commitment(${account}, 'c0')`,
  ],
  ['reconciling', (sql) => sql`select * from guardian.reconcilable(${account}, 1000)`],
  ['reconciling again', (sql) => sql`select guardian.reconcile_later(${account}, 60)`],
  ['retiring a worker', (sql) => sql`select canonry.retire('w')`],
  ['a heartbeat', (sql) => sql`select canonry.beat('w2', 2, '{}')`],
  ['looking now', (sql) => sql`select canonry.look_now('canonicalize', ${account})`],
  ['explaining an account', (sql) => explainAccount(sql, account)],
  ['the audit of an account', (sql) => auditOf(sql, account, 5)],
  ['failed candidates', (sql) => failedCandidates(sql)],
  ['a revived marker', (sql) => sql`select canonry.retry_revived(1)`],
  ['retained deltas without a job', (sql) => unwatchedAccounts(sql)],
  ['retrying a job', (sql) => retryJob(sql, { task: 'reconcile', account }, 'me', 'r')],
];

describe.each([15, 18] as const)('plans on Postgres %s', (version) => {
  let created: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    created = await createDatabase({ version });
    database = await openDatabase({ databaseUrl: created.url, maxConnections: 1 });
    const { sql } = database;
    await sql`insert into guardian.account
      (account_id, auth_scheme, signer_commitments, commitment, state)
      select '0x' || lpad(to_hex(n), 30, '0'), 'ecdsa', array['s'], 'c1', '\\x01'
      from generate_series(1, ${rows}) n`;
    await sql`insert into guardian.signer_clock
      select account_id, 's', 1 from guardian.account`;
    await sql`insert into canonry.line (task, account)
      select 'canonicalize', account_id from guardian.account`;
    await sql`insert into canonry.candidate (line_id, state, why, resolved_at)
      select line_id, 'finalized', 'canonical', now() from canonry.line, generate_series(1, 3)`;
    await sql`insert into canonry.candidate (line_id) select line_id from canonry.line
      where line_id > 1`;
    await sql`insert into guardian.delta (account_id, nonce, candidate_id, status,
        prev_commitment, new_commitment, summary_commitment, payload, ack_scheme, ack_pubkey,
        ack_signature, result_state, result_signers, result_bound_here)
      select l.account, row_number() over (partition by l.line_id order by c.candidate_id),
        c.candidate_id, case c.state when 'waiting' then 'candidate' else 'canonical' end,
        'c1', 'c2', 'm', '{"data":"x"}', 'ecdsa', 'k', 'a', '\\x02', array['s'], true
      from canonry.candidate c join canonry.line l using (line_id)`;
    await sql`insert into canonry.audit (actor, action, candidate_id, task, account, reason)
      select 'me', 'retry', candidate_id, 't', 'a' || candidate_id, 'r' from canonry.candidate`;
    await sql`vacuum analyze`.simple();
  }, 60_000);
  afterAll(async () => {
    await database.close();
    await created.drop();
  });

  /** Sequential scans so far of the tables that grow. */
  const scans = async () => {
    await database.sql`select pg_stat_force_next_flush()`;
    return database.sql<{ relname: string; seq_scan: bigint }[]>`
      select schemaname || '.' || relname as relname, seq_scan from pg_stat_user_tables
      where schemaname in ('canonry', 'guardian')
        and relname in ('line', 'candidate', 'audit', 'account', 'delta', 'signer_clock')
      order by 1`;
  };

  it('the counters see a sequential scan when there is one', async () => {
    const before = await scans();
    await database.sql`select count(*) from guardian.delta where new_commitment = 'nowhere'`;
    expect(await scans()).not.toEqual(before);
  });

  it.each(operations)('%s', async (_name, run) => {
    const before = await scans();
    // some plans turn generic only after a few runs
    for (let i = 0; i < 7; i++) await run(database.sql);
    expect(await scans()).toEqual(before);
  });

  it('the sweep reads a bounded piece, by index', async () => {
    const plan = await database.sql`explain select c.line_id from canonry.candidate c
      where c.resolved_at is null and c.next_attempt_at < now() and c.state = 'waiting'
        and not exists (
          select 1 from canonry.candidate elder
          where elder.line_id = c.line_id and elder.resolved_at is null
            and elder.candidate_id < c.candidate_id
        )
      order by c.next_attempt_at limit 1000`;
    expect(JSON.stringify(plan)).toContain('candidate_due');
    expect(JSON.stringify(plan)).not.toContain('Seq Scan');
  });
});
