/** How often the chain is asked about proposals, and for whom; what stays of those it has passed. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import type { EvmContext } from '../../../src/guardian/evm/context.ts';
import { listProposals, readProposal } from '../../../src/guardian/evm/proposals/read.ts';
import type { Hex } from '../../../src/guardian/evm/values.ts';
import { evmLimits } from '../../../src/limits.ts';
import { unlimitedLogins } from '../../../src/guardian/sessions/login-limits.ts';
import { unobserved } from '../../../src/observability/metrics.ts';
import { everyDatabase, openEmbeddedCopy } from '../../support/databases.ts';

const alice: Hex = `0x${'a1'.repeat(20)}`;
const newcomer: Hex = `0x${'b2'.repeat(20)}`;
const stranger: Hex = `0x${'c3'.repeat(20)}`;
const address: Hex = `0x${'d4'.repeat(20)}`;
const account = `evm:1:${address}`;
const proposalId = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`;

/** Proposals from..to of Alice's, each of a nonce sequence of its own. */
async function insert({ sql }: Database, from: number, to: number, usedAt = 'null') {
  await sql.unsafe(`insert into guardian.evm_proposal
    select '${account}', '0x' || lpad(to_hex(n), 64, '0'), '0x', '0x', 'p',
      n * 18446744073709551616::numeric, n, '${alice}', array['${alice}'], 1,
      now() + n * interval '1 ms', now() + interval '1 day', ${usedAt}
    from generate_series(${from}, ${to}) n`);
  await sql`insert into guardian.evm_signature
    select account_id, proposal_id, proposer, '0x', now() from guardian.evm_proposal
    on conflict do nothing`;
}

async function insertAccount({ sql }: Database): Promise<void> {
  await sql`insert into guardian.evm_account (account_id, chain_id, address, validator)
    values (${account}, 1, ${address}, ${address})`;
}

describe('the chain', () => {
  let database: Database;
  let context: EvmContext;
  /** Nonce keys the EntryPoint was asked about, how often the signers were, and what it has passed. */
  let asked: bigint[];
  let signersRead: number;
  const passed = new Set<bigint>();
  beforeAll(async () => {
    database = await openEmbeddedCopy();
    await insertAccount(database);
  });
  afterAll(() => database?.close());
  beforeEach(async () => {
    await database.sql`delete from guardian.evm_proposal`;
    asked = [];
    signersRead = 0;
    passed.clear();
    const chain = {
      nextNonce: (_account: Hex, key: bigint) => {
        asked.push(key);
        return Promise.resolve((key << 64n) + (passed.has(key) ? 1n : 0n));
      },
      readMultisig: () => {
        signersRead += 1;
        return Promise.resolve({ signers: [alice, newcomer], threshold: 1 });
      },
    };
    context = {
      sql: database.sql,
      chains: new Map([[1, chain]]),
      maxActiveProposals: 3,
      maxRequestBytes: 1_000,
      cookies: { alwaysSecure: false, trustProxy: false },
      logins: unlimitedLogins,
      storage: { sealProposal: (_a, _p, text) => text, openProposal: (_a, _p, text) => text },
      metrics: unobserved,
    };
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const listed = async (session: Hex) =>
    (await listProposals(context, session, account)).map((row) => BigInt(row.proposal_id));
  const refused = { code: 'signer_not_authorized', status: 403 };

  it('is asked about the active ones, and about those lately seen used', async () => {
    await insert(database, 1, 3);
    await insert(database, 10, 60, `now() - interval '1 h'`);
    await insert(database, 100, 102, `now() - interval '2 days'`);
    expect(await listed(alice)).toEqual(asked.toSorted((a, b) => Number(a - b)));
    expect(asked).toHaveLength(3 + evmLimits.usedProposals);
    expect(asked.filter((key) => key <= 3n)).toHaveLength(3);
    expect(asked.every((key) => key < 100n)).toBe(true);
  });

  it('is not asked for somebody who may not know', async () => {
    await insert(database, 1, 3);
    await insert(database, 10, 10, 'now()');
    await expect(listed(stranger)).rejects.toMatchObject(refused);
    await expect(readProposal(context, stranger, account, proposalId(1))).rejects.toMatchObject(
      refused,
    );
    await expect(readProposal(context, stranger, account, proposalId(10))).rejects.toMatchObject({
      code: 'proposal_not_found',
    });
    expect([asked, signersRead]).toEqual([[], 1]);
    await database.sql`delete from guardian.evm_proposal where nonce_used_at is null`;
    expect(await listed(stranger)).toEqual([]);
    expect([asked, signersRead]).toEqual([[], 1]);
  });

  it('lets a new signer in once proposals of before can no longer be executed', async () => {
    await insert(database, 1, 2);
    await expect(listed(newcomer)).rejects.toMatchObject(refused);
    passed.add(1n).add(2n);
    expect(await listed(newcomer)).toEqual([]);
  });

  it('is given up when it is slow for every key', async () => {
    await insert(database, 1, 3);
    context = { ...context, maxActiveProposals: 20 };
    await insert(database, 4, 20);
    let now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const chain = context.chains.get(1);
    const quick = chain?.nextNonce.bind(chain);
    vi.spyOn(chain!, 'nextNonce').mockImplementation((at, key) => {
      now += 2_000;
      return quick!(at, key);
    });
    await expect(listed(alice)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(asked.length).toBeLessThan(10);
  });
});

describe.each(everyDatabase)('proposals whose nonce is used, on $name', ({ name, open }) => {
  let database: Database;
  beforeEach(async () => {
    database = await open();
    await insertAccount(database);
  });
  afterEach(() => database?.close());
  const mark = (keys: number[], used: boolean, most = 20) =>
    database.sql`select guardian.mark_used_evm_nonces(${account}, ${keys.map(String)}::text[]::numeric[],
      ${keys.map((key) => String((BigInt(key) << 64n) + (used ? 1n : 0n)))}::text[]::numeric[], ${most})`;
  const marked = () =>
    database.sql<{ key: number }[]>`select nonce_key::integer as key from guardian.evm_proposal
      where nonce_used_at is not null order by 1`;

  it('stay until others have followed them', async () => {
    await insert(database, 1, 9);
    for (const key of [1, 5, 2, 4]) await mark([key], true, 3);
    expect(await marked()).toEqual([{ key: 2 }, { key: 4 }, { key: 5 }]);
    await mark([5], false, 3);
    const [row] = await database.sql<{ rows: number; active: number }[]>`
      select count(*)::integer as rows, count(*) filter (where nonce_used_at is null)::integer as active
      from guardian.evm_proposal`;
    expect(row).toEqual({ rows: 8, active: 6 });
  });

  const alone = name.includes('embedded') ? ' (its one session makes no two at once)' : '';
  it.skipIf(alone)(`are marked by two looks at once${alone}`, async () => {
    await insert(database, 1, 3);
    let marking: Promise<unknown> | undefined;
    await database.sql.begin(async (sql) => {
      await sql`select 1 from guardian.evm_proposal where nonce_key = 2 for no key update`;
      // each of them would hold what the other one wants next
      marking = Promise.all([mark([1, 2, 3], true), mark([3, 2, 1], true)]);
      await waitForLocks(database, 2);
    });
    await marking;
    expect(await marked()).toHaveLength(3);
  });
});

/** Waits until so many statements of this database wait for a lock. */
async function waitForLocks({ sql }: Database, statements: number): Promise<void> {
  await vi.waitFor(async () => {
    const waiting = await sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    expect(waiting).toHaveLength(statements);
  });
}
