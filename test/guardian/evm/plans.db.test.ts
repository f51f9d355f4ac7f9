/** No statement about sessions or EVM proposals reads a whole table that grows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../../src/database/connect.ts';
import {
  issueChallenge,
  liveChallenges,
  openSession,
  revokeSession,
  sessionSubject,
} from '../../../src/guardian/sessions/store.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';

const rows = 6_000;
const account = 'evm:1:0x7';

describe('plans of EVM accounts', () => {
  let created: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    created = await createDatabase();
    database = await openDatabase({ databaseUrl: created.url, maxConnections: 1 });
    const { sql } = database;
    await sql`insert into guardian.auth_challenge
      select 'evm', 'k' || n, 'p' || n / 4, '{}', now(), now() + interval '1 hour'
      from generate_series(1, ${rows}) n`;
    await sql`insert into guardian.auth_session
      select 'evm', sha256(n::text::bytea), 'p' || n, now(), now() + interval '1 hour'
      from generate_series(1, ${rows}) n`;
    await sql`insert into guardian.evm_account (account_id, chain_id, address, validator)
      select 'evm:1:0x' || n, 1, '0x' || n, '0x' from generate_series(1, ${rows}) n`;
    await sql`insert into guardian.evm_proposal
      select account_id, 'q', '0x', '0x', 'payload', 5, 0, '0xa', array['0xa', '0xb'], 2,
        now(), now() + interval '1 hour' from guardian.evm_account`;
    await sql`insert into guardian.evm_signature
      select account_id, 'q', '0xa', '0x', now() from guardian.evm_account`;
    await sql`vacuum analyze`.simple();
  }, 60_000);
  afterAll(async () => {
    await database?.close();
    await created?.drop();
  });

  const scans = async () => {
    await database.sql`select pg_stat_force_next_flush()`;
    return database.sql<{ relname: string; seq_scan: bigint }[]>`
      select relname, seq_scan from pg_stat_user_tables
      where relname in ('auth_challenge', 'auth_session', 'evm_account', 'evm_proposal',
        'evm_signature') order by 1`;
  };

  it('the counters see a sequential scan when there is one', async () => {
    const before = await scans();
    await database.sql`select count(*) from guardian.evm_proposal where payload = 'x'`;
    expect(await scans()).not.toEqual(before);
  });

  const realm = 'evm';
  const operations: [string, (sql: Database['sql'], round: number) => Promise<unknown>][] = [
    [
      'issuing a challenge',
      (sql, round) => issueChallenge(sql, { realm, principal: 'p9', key: `new ${round}` }),
    ],
    ['reading challenges', (sql) => liveChallenges(sql, realm, 'p8')],
    [
      'opening a session',
      (sql, n) => openSession(sql, { realm, principal: 'p5', key: `k2${n}`, subject: 'p5' }),
    ],
    ['reading a session', (sql) => sessionSubject(sql, realm, '12')],
    ['revoking a session', (sql) => revokeSession(sql, realm, '13')],
    ['sweeping sessions', (sql) => sql`select guardian.sweep_sessions(100)`],
    [
      'proposing',
      (sql, round) => sql`select guardian.create_evm_proposal(${account}, ${`new ${round}`}, '0x',
        '0x', 'p', ${String(round)}::text::numeric, '0xa', array['0xa'], 1, '0x', 60, 9)`,
    ],
    [
      'marking nonces',
      (sql, round) => sql`select guardian.mark_used_evm_nonces('evm:1:0x8', array[0]::numeric[],
        array[${round % 2 ? 0 : 9}]::numeric[])`,
    ],
    ['listing', (sql) => sql`select * from guardian.active_evm_proposals(${account}, null)`],
    ['reading one', (sql) => sql`select * from guardian.active_evm_proposals(${account}, 'q')`],
    [
      'approving',
      (sql) => sql`select guardian.approve_evm_proposal(${account}, 'q', '0xb', '0x', true)`,
    ],
    ['cancelling', (sql) => sql`select guardian.cancel_evm_proposal('evm:1:0x9', 'q', '0xa')`],
    ['sweeping proposals', (sql) => sql`select guardian.sweep_evm_proposals(100)`],
  ];

  it.each(operations)('%s', async (_name, run) => {
    const before = await scans();
    // some plans turn generic only after a few runs
    for (let round = 0; round < 7; round++) await run(database.sql, round);
    expect(await scans()).toEqual(before);
  });
});
