/** No statement of the dashboard reads a whole table that grows with traffic. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../../src/database/connect.ts';
import { accountOf, openOperatorStage, type OperatorStage } from '../../operators/stage.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';

const rows = 20_000;

describe.each([15, 18] as const)('plans of the dashboard on Postgres %s', (version) => {
  let created: TestDatabase;
  let database: Database;
  let stage: OperatorStage;
  beforeAll(async () => {
    created = await createDatabase({ version });
    database = await openDatabase({ databaseUrl: created.url, maxConnections: 1 });
    const { sql } = database;
    await sql`insert into guardian.account (account_id, auth_scheme, signer_commitments,
        commitment, state, metadata_updated_at, paused_at)
      select '0x' || lpad(to_hex(n), 30, '0'), 'ecdsa', array['s'], 'c1', '\\x01',
        now() - make_interval(secs => n), case n % 50 when 0 then now() end
      from generate_series(1, ${rows}) n`;
    await sql`insert into guardian.evm_account
        (account_id, chain_id, address, validator, updated_at)
      select 'evm:1:0x' || lpad(to_hex(n), 40, '0'), 1, '0x', '0x',
        now() - make_interval(secs => n) from generate_series(1, ${rows}) n`;
    await sql`insert into canonry.line (task, account)
      select 'canonicalize', account_id from guardian.account`;
    await sql`insert into canonry.candidate (line_id, state, why, resolved_at)
      select line_id, 'finalized', 'canonical', now() from canonry.line, generate_series(1, 2)`;
    await sql`insert into guardian.delta (account_id, nonce, candidate_id, status,
        status_timestamp, prev_commitment, new_commitment, summary_commitment, payload,
        ack_scheme, ack_pubkey, ack_signature, result_bound_here)
      select l.account, row_number() over (partition by l.line_id order by c.candidate_id),
        c.candidate_id,
        case c.candidate_id % 100 when 1 then 'retained' when 2 then 'discarded'
          else 'canonical' end,
        now() - make_interval(secs => c.candidate_id), 'c1', 'c2', 'm', '{"data":"AA=="}',
        'ecdsa', 'k', 'a', true
      from canonry.candidate c join canonry.line l using (line_id)`;
    await sql`insert into guardian.proposal
        (account_id, commitment, nonce, prev_commitment, proposer, payload, created_at)
      select '0x' || lpad(to_hex(n % 100 + 1), 30, '0'), '0x' || n, n, 'c1', 's', '{}',
        now() - make_interval(secs => n) from generate_series(1, ${rows}) n`;
    await sql`insert into guardian.proposal_signature
        (account_id, commitment, signer_commitment, signature)
      select account_id, commitment, 's', '{}' from guardian.proposal`;
    await sql`insert into guardian.admin_action (operator_identity, action_kind,
        target_account_id, payload, outcome)
      select 's', 'accounts.pause', account_id, '{}', 'success' from guardian.account`;
    await sql`vacuum analyze`.simple();
    stage = await openOperatorStage(database);
    await sql`select guardian.count_canonical(1000000)`;
  }, 90_000);
  afterAll(async () => {
    await stage?.close();
    await database?.close();
    await created?.drop();
  });

  const scans = async () => {
    await database.sql`select pg_stat_force_next_flush()`;
    return database.sql<{ relname: string; seq_scan: bigint; read: bigint }[]>`
      select relname, seq_scan, seq_tup_read as read from pg_stat_user_tables
      where schemaname in ('guardian', 'canonry') and relname in ('account', 'evm_account',
        'delta', 'proposal', 'proposal_signature', 'admin_action', 'candidate', 'line')
      order by 1`;
  };
  /** Index entries that were looked at so far, of all those tables. */
  const entries = async () => {
    await database.sql`select pg_stat_force_next_flush()`;
    const [row] = await database.sql<{ read: bigint }[]>`
      select sum(idx_tup_read)::bigint as read from pg_stat_user_indexes
      where schemaname = 'guardian'`;
    return Number(row?.read ?? 0n);
  };

  it('the counters see a sequential scan when there is one', async () => {
    const before = await scans();
    await database.sql`select count(*) from guardian.delta where ack_scheme = 'x'`;
    expect(await scans()).not.toEqual(before);
  });

  const deep = async (path: string, limit: number) => {
    const first = await stage.get(`${path}limit=${limit}`);
    return stage.get(`${path}limit=${limit}&cursor=${String(first['next_cursor'])}`);
  };
  const one = `/dashboard/accounts/${accountOf(7)}`;
  /** With how many index entries two pages of 100 may be read, repeated looks included. */
  const operations: [string, number, () => Promise<unknown>][] = [
    ['the account list', 3_000, () => deep('/dashboard/accounts?', 100)],
    ['paused accounts', 3_000, () => deep('/dashboard/accounts?paused=true&', 100)],
    ['active accounts', 3_000, () => deep('/dashboard/accounts?paused=false&', 100)],
    ['one account', 50, () => stage.get(one)],
    ['deltas of an account', 50, () => deep(`${one}/deltas?`, 1)],
    ['a delta', 50, () => stage.get(`${one}/deltas/1`)],
    ['all deltas', 3_000, () => deep('/dashboard/deltas?', 100)],
    ['canonical deltas', 3_000, () => deep('/dashboard/deltas?status=canonical&', 100)],
    ['retained deltas', 3_000, () => deep('/dashboard/deltas?status=retained&', 100)],
    ['proposals of an account', 3_000, () => deep(`${one}/proposals?`, 100)],
    ['all proposals', 3_000, () => deep('/dashboard/proposals?', 100)],
    ['pausing', 50, () => stage.post(`${one}/pause`, { reason: 'x' })],
    ['unpausing', 50, () => stage.post(`${one}/unpause`)],
    ['counting canonical deltas', 300, () => database.sql`select guardian.count_canonical(100)`],
    ['the last activity', 50, () => database.sql`select guardian.latest_activity()`],
    // what was given up is counted, what is canonical is not
    ['counts of deltas', 1_500, () => database.sql`select * from guardian.delta_counts()`],
  ];

  it.each(operations)('%s', async (_name, most, run) => {
    // some plans turn generic only after a few runs
    for (let round = 0; round < 6; round += 1) await run();
    const [scansBefore, entriesBefore] = [await scans(), await entries()];
    await run();
    expect(await scans()).toEqual(scansBefore);
    expect((await entries()) - entriesBefore).toBeLessThanOrEqual(most);
  });
});
