/** What the reads of deltas answer at their bounds, and what they read for a stranger: nothing. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../../src/database/connect.ts';
import { buildAccount } from '../../../src/guardian/networks/miden/account/build.ts';
import { guardianLimits } from '../../../src/limits.ts';
import { exchange, expectRefusal, openInProcess, type Service } from '../../http/service.ts';
import { createHolder, makeSigner, openHolder, type Holder } from '../../http/signed.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';

/** No service's key. */
const nobody = `0x${'01'.repeat(32)}`;

describe('reads of deltas', () => {
  let created: TestDatabase;
  let database: Database;
  let service: Service;
  beforeAll(async () => {
    created = await createDatabase();
    // one connection: what it did is counted when it says so
    database = await openDatabase({ databaseUrl: created.url, maxConnections: 1 });
    service = await openInProcess({}, database);
  });
  afterAll(async () => {
    await service?.close();
    await database?.close();
    await created?.drop();
  });

  const push = async (holder: Holder, nonce: number) => {
    const { body } = await exchange(service, holder.post('/delta', holder.deltaBody(nonce)));
    return body as { new_commitment: string };
  };
  const set = (holder: Holder, columns: string) =>
    service.execute(
      `update guardian.delta set ${columns} where account_id = '${holder.accountId}'`,
    );
  /** An account with a canonical delta. */
  const openSettled = async (nonce = 1) => {
    const holder = await openHolder(service.send);
    await push(holder, nonce);
    await set(holder, `status = 'canonical'`);
    return holder;
  };
  const deltaScans = async () => {
    await database.sql`select pg_stat_force_next_flush()`;
    const [row] = await database.sql<{ scans: bigint }[]>`
      select seq_scan + coalesce(idx_scan, 0) as scans from pg_stat_user_tables
      where schemaname = 'guardian' and relname = 'delta'`;
    return row?.scans;
  };

  it.each(['/delta/since', '/delta/history'])(
    '%s looks at no delta for a stranger',
    async (path) => {
      const holder = await openSettled();
      const query: Record<string, bigint> = path === '/delta/history' ? {} : { nonce: 1n };
      const stranger = createHolder(nobody, 'ecdsa', makeSigner('ecdsa'));
      const before = await deltaScans();
      const asked = stranger.get(path, query, { accountId: holder.accountId });
      await expectRefusal(service, asked, 401, 'authentication_failed');
      expect(await deltaScans()).toBe(before);
      expect((await exchange(service, holder.get(path, query))).status).toBe(200);
      expect(await deltaScans()).not.toBe(before);
    },
  );

  it('lists the largest nonce there is, once', async () => {
    const holder = await openSettled();
    await set(holder, `nonce = ${2n ** 63n - 1n}`);
    await push(holder, 2);
    await set(holder, `status = 'canonical'`);
    const { path, init } = holder.get('/delta/history');
    const text = await (await service.send(path, init)).text();
    expect([...text.matchAll(/"nonce":(\d+)/g)].map(([, nonce]) => nonce)).toEqual([
      String(2n ** 63n - 1n),
      '2',
    ]);
  });

  it('merges no more bytes than its limit, and says what to do', async () => {
    const holder = await openSettled();
    const since = () => exchange(service, holder.get('/delta/since', { nonce: 1n }));
    expect((await since()).status).toBe(200);
    await set(
      holder,
      `payload = json_build_object('data', payload -> 'data',
      'more', repeat('x', ${guardianLimits.mergedBytes}))`,
    );
    expect((await since()).body).toMatchObject({
      code: 'invalid_input',
      message: expect.stringMatching(/bytes of deltas: ask from a later nonce/) as string,
    });
  });

  it('refuses to merge deltas of a protocol that the account has left', async () => {
    const holder = await openSettled();
    const older = buildAccount({
      protocol: '0.15',
      signers: [nobody],
      scheme: 'ecdsa',
      threshold: 1,
      guardian: nobody,
      salt: 1n,
    });
    await service.execute(`update guardian.account set state = '\\x${bytesToHex(older)}'
      where account_id = '${holder.accountId}'`);
    const asked = holder.get('/delta/since', { nonce: 1n });
    await expectRefusal(service, asked, 400, 'invalid_delta');
  });

  it('tells of a candidate that it is to be abandoned, and how often that was confirmed', async () => {
    const holder = await openHolder(service.send);
    const first = holder.deltaBody(1);
    await exchange(service, holder.post('/delta', first));
    const read = async () => {
      const { body } = await exchange(service, holder.get('/delta', { nonce: 1n }));
      return body['status'] as Record<string, unknown>;
    };
    expect(await read()).not.toHaveProperty('abandon_requested_at');
    const about = { account_id: holder.accountId, nonce: 1n };
    const abandon = holder.post('/delta/candidate/abandon', about);
    const asked = await exchange(service, abandon);
    await set(holder, 'abandon_confirm_count = 1');
    const status = await read();
    expect(status).toMatchObject({
      status: 'candidate',
      abandon_requested_at: asked.body['abandon_requested_at'],
      abandon_confirm_count: 1,
    });
    const again = await exchange(service, holder.post('/delta', first));
    expect(again.body['status']).toEqual(status);
  });
});
