/** Lists, pages and counts of the dashboard. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import {
  accountOf,
  insertAccounts,
  insertDelta,
  insertProposal,
  openOperatorStage,
  walk,
  type OperatorStage,
} from '../../operators/stage.ts';
import { everyDatabase } from '../../support/databases.ts';

const evm = `evm:1:0x${'ab'.repeat(20)}`;
const statuses = ['canonical', 'retained', 'discarded', 'candidate'] as const;

describe.each(everyDatabase)('the dashboard on $name', ({ open }) => {
  let database: Database;
  let stage: OperatorStage;
  beforeAll(async () => {
    database = await open();
    await insertAccounts(database, 20);
    await database.sql`insert into guardian.evm_account
        (account_id, chain_id, address, validator, updated_at)
      values (${evm}, 1, '0x', '0x', now() - interval '1 hour')`;
    for (let n = 0; n < 16; n += 1) {
      const status = statuses[n % 4] ?? 'canonical';
      const account = accountOf(status === 'candidate' ? n : 1 + (n % 3));
      await insertDelta(database, { account, nonce: n, status, secondsAgo: Math.floor(n / 5) });
    }
    for (let n = 0; n < 7; n += 1) {
      await insertProposal(database, {
        account: accountOf(1 + (n % 2)),
        commitment: `0x${String(n).repeat(64)}`,
        nonce: 10 + Math.floor(n / 3),
        payload: n === 0 ? '{}' : '{"metadata":{"proposal_type":"custom"}}',
        signers: n % 3,
        secondsAgo: 7 - n,
      });
    }
    stage = await openOperatorStage(database);
  });
  afterAll(async () => {
    await stage?.close();
    await database?.close();
  });
  const list = async (path: string, limit: number) => {
    const whole = await walk((at) => stage.get(at), path, 500);
    expect(whole.pages).toBe(1);
    const { items, pages } = await walk((at) => stage.get(at), path, limit);
    expect(items).toEqual(whole.items);
    expect(pages).toBe(Math.max(1, Math.ceil(items.length / limit)));
    return items;
  };

  it('lists accounts, the last changed first, page by page', async () => {
    const items = await list('/dashboard/accounts', 3);
    expect(items.map((item) => item['account_id']).toSorted()).toEqual(
      [...Array.from({ length: 20 }, (_, n) => accountOf(n + 1)), evm].toSorted(),
    );
    for (const [index, item] of items.slice(1).entries()) {
      const [a, b] = [items[index], item].map((one) => ({
        at: Date.parse(String(one?.['updated_at'])),
        id: String(one?.['account_id']),
      }));
      expect(a!.at > b!.at || (a!.at === b!.at && a!.id < b!.id)).toBe(true);
    }
    expect(items.at(-1)).toEqual({
      account_id: evm,
      auth_scheme: 'ecdsa',
      authorized_signer_count: 0,
      has_pending_candidate: false,
      current_commitment: null,
      state_status: 'unavailable',
      created_at: expect.any(String) as string,
      updated_at: expect.any(String) as string,
      paused_at: null,
      paused_reason: null,
      released_at: null,
    });
  });

  it('filters accounts by pause', async () => {
    const paused = await list('/dashboard/accounts?paused=true', 2);
    expect(paused.map((item) => item['account_id']).toSorted()).toEqual(
      [3, 6, 9, 12, 15, 18].map(accountOf),
    );
    expect(paused.every((item) => item['paused_reason'] === 'why')).toBe(true);
    expect(await list('/dashboard/accounts?paused=false', 4)).toHaveLength(15);
    expect(await list('/dashboard/accounts?paused=', 20)).toHaveLength(21);
    await stage.refused('/dashboard/accounts?paused=yes', 400, 'invalid_input');
  });

  it('shows one account', async () => {
    const shown = await stage.get(`/dashboard/accounts/${accountOf(11)}`);
    expect(shown).toMatchObject({
      account_id: accountOf(11),
      auth_scheme: 'ecdsa',
      authorized_signer_count: 2,
      authorized_signer_ids: ['s1', 's2'],
      has_pending_candidate: true,
      current_commitment: 'c11',
      state_status: 'available',
      state_created_at: expect.any(String) as string,
      state_updated_at: expect.any(String) as string,
    });
    expect(await stage.get(`/dashboard/accounts/${evm}`)).toMatchObject({
      authorized_signer_ids: [],
      state_created_at: null,
      state_updated_at: null,
    });
  });

  it('a state that cannot be read is 503, EVM accounts have no snapshot', async () => {
    const at = (account: string) => `/dashboard/accounts/${account}/snapshot`;
    await stage.refused(at(evm), 400, 'unsupported_for_network');
    await stage.refused(at(accountOf(99)), 404, 'account_not_found');
    const answer = await stage.service.send(at(accountOf(1)), {
      headers: { cookie: stage.cookies.reader },
    });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'account_data_unavailable' });
  });

  it('lists the deltas of an account by nonce', async () => {
    const items = await list(`/dashboard/accounts/${accountOf(1)}/deltas`, 2);
    expect(items.map(({ nonce }) => nonce)).toEqual([12, 9, 6, 0]);
    expect(items[0]).toEqual({
      nonce: 12,
      status: 'canonical',
      status_timestamp: expect.any(String) as string,
      prev_commitment: 'c1',
      new_commitment: 'c2',
    });
    expect(await stage.get(`/dashboard/accounts/${accountOf(20)}/deltas`)).toEqual({
      items: [],
      next_cursor: null,
    });
    const [candidate] = await list(`/dashboard/accounts/${accountOf(7)}/deltas`, 2);
    expect(candidate).toMatchObject({ status: 'candidate', retry_count: 0 });
  });

  it('lists all deltas, the last changed first, with filters', async () => {
    const items = await list('/dashboard/deltas', 3);
    expect(items).toHaveLength(16);
    const times = items.map((item) => Date.parse(String(item['status_timestamp'])));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(items.every((item) => String(item['account_id']).startsWith('0x'))).toBe(true);
    const filtered = await list('/dashboard/deltas?status=retained,candidate,retained', 3);
    expect(new Set(filtered.map(({ status }) => status))).toEqual(
      new Set(['retained', 'candidate']),
    );
    expect(filtered).toHaveLength(8);
    expect(await list('/dashboard/deltas?status=', 20)).toHaveLength(16);
    for (const wrong of ['pending', 'retained,', ',', 'Retained', ' retained', 'x']) {
      await stage.refused(`/dashboard/deltas?status=${wrong}`, 400, 'invalid_status_filter');
    }
  });

  it('lists proposals, of one account by nonce and of all by time', async () => {
    const ofAccount = await list(`/dashboard/accounts/${accountOf(1)}/proposals`, 1);
    expect(ofAccount.map(({ nonce, commitment }) => [nonce, String(commitment)[2]])).toEqual([
      [12, '6'],
      [11, '4'],
      [10, '2'],
      [10, '0'],
    ]);
    expect(ofAccount[1]).toEqual({
      commitment: `0x${'4'.repeat(64)}`,
      nonce: 11,
      proposer_id: 's1',
      originating_timestamp: expect.any(String) as string,
      signatures_collected: 1,
      signatures_required: 3,
      prev_commitment: 'c1',
      new_commitment: null,
      proposal_type: 'custom',
    });
    expect(ofAccount[3]).not.toHaveProperty('proposal_type');
    const all = await list('/dashboard/proposals', 2);
    expect(all.map(({ commitment }) => String(commitment)[2]).join('')).toBe('6543210');
    expect(all[0]).toMatchObject({ account_id: accountOf(1) });
    expect(await list(`/dashboard/accounts/${evm}/proposals`, 2)).toEqual([]);
  });

  it('refuses limits, cursors and accounts that are none', async () => {
    const lists = [
      '/dashboard/accounts',
      '/dashboard/deltas',
      '/dashboard/proposals',
      `/dashboard/accounts/${accountOf(1)}/deltas`,
      `/dashboard/accounts/${accountOf(1)}/proposals`,
      `/dashboard/accounts/${accountOf(2)}/deltas`,
    ];
    const cursors = await Promise.all(
      lists.map(async (path) => (await stage.get(`${path}?limit=1`))['next_cursor'] as string),
    );
    for (const [index, path] of lists.entries()) {
      for (const limit of ['0', '-1', '501', '1.5', 'ten', '1e2']) {
        await stage.refused(`${path}?limit=${limit}`, 400, 'invalid_limit');
      }
      // a cursor of another list, of another account, and one that was tampered with
      const own = cursors[index] ?? '';
      const foreign = cursors.filter((_, other) => other !== index);
      for (const cursor of [...foreign, `A${own.slice(1)}`, `${own}A`, 'x', '.']) {
        await stage.refused(`${path}?cursor=${cursor}`, 400, 'invalid_cursor');
      }
    }
    for (const account of [accountOf(99), 'hello', '%00']) {
      for (const rest of ['', '/deltas', '/proposals', '/snapshot']) {
        await stage.refused(`/dashboard/accounts/${account}${rest}`, 404, 'account_not_found');
      }
    }
  });

  it('counts what there is', async () => {
    const info = await stage.get('/dashboard/info');
    expect(info).toMatchObject({
      service_status: 'healthy',
      environment: 'local',
      total_account_count: 21,
      accounts_by_auth_method: { miden_falcon: 10, miden_ecdsa: 10, evm: 1 },
      delta_status_counts: { candidate: 4, canonical: 4, retained: 4, discarded: 4 },
      in_flight_proposal_count: 7,
      degraded_aggregates: [],
      backend: { storage: 'postgres', supported_ack_schemes: ['ecdsa', 'falcon'] },
    });
    expect(Date.now() - Date.parse(String(info['latest_activity']))).toBeLessThan(60_000);
  });

  it('counts of which one is missing are marked, and without accounts there are none', async () => {
    // an API that remembers nothing yet
    const other = await openOperatorStage(database);
    const without = async <T>(table: string, look: () => Promise<T>) => {
      await database.sql.unsafe(`alter table guardian.${table} rename to gone`);
      try {
        return await look();
      } finally {
        await database.sql.unsafe(`alter table guardian.gone rename to ${table}`);
      }
    };
    const answer = await without('account_count', () =>
      other.service.send('/dashboard/info', { headers: { cookie: other.cookies.reader } }),
    );
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: 'data_unavailable',
      meta: { retryable: true },
    });
    expect(await without('proposal', () => other.get('/dashboard/info'))).toMatchObject({
      service_status: 'degraded',
      total_account_count: 21,
      in_flight_proposal_count: 0,
      degraded_aggregates: ['in_flight_proposal_count', 'latest_activity'],
    });
    await other.close();
  });
});
