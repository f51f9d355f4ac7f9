/**
 * Two replicas: two APIs that were composed apart, each with connections of its own, on one
 * Postgres. Every exchange is forced onto the replica that did not serve the one before it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../../src/database/connect.ts';
import { openInProcess, type Service } from '../../http/service.ts';
import {
  challengeOf,
  createOperatorKey,
  logIn,
  verify,
  writeAllowlist,
  type AllowlistFile,
} from '../../operators/operator.ts';
import {
  accountOf,
  insertAccounts,
  insertDelta,
  insertProposal,
  walk,
} from '../../operators/stage.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';

describe('two replicas', () => {
  const keys = [createOperatorKey(), createOperatorKey('ecdsa')] as const;
  let created: TestDatabase;
  let databases: Database[];
  let replicas: [Service, Service];
  let allowlist: AllowlistFile;
  beforeAll(async () => {
    created = await createDatabase();
    allowlist = writeAllowlist(keys.map(({ publicKey }) => publicKey));
    const open = async (extra: Record<string, string>) => {
      const database = await openDatabase({ databaseUrl: created.url, maxConnections: 4 });
      databases.push(database);
      return openInProcess({ ...allowlist.environment, ...extra }, database);
    };
    databases = [];
    const secret = { GUARDIAN_DASHBOARD_CURSOR_SECRET: 'c5'.repeat(32) };
    replicas = [await open(secret), await open(secret)];
  });
  afterAll(async () => {
    for (const replica of replicas ?? []) await replica.close();
    for (const database of databases ?? []) await database.close();
    await created?.drop();
    allowlist?.remove();
  });
  /** Sends to one replica and the other in turn. */
  const alternating = () => {
    let turn = 0;
    const send: Service['send'] = (path, init) => replicas[turn++ % 2]!.send(path, init);
    return { send, turns: () => turn };
  };

  it('SC-001: 20 of 20 logins with challenge and verify on different replicas', async () => {
    let successes = 0;
    for (let round = 0; round < 20; round += 1) {
      const [issuer, verifier] = round % 2 ? replicas : replicas.toReversed();
      const cookie = await logIn(keys[round % 4 < 2 ? 0 : 1], issuer!.send, verifier!.send);
      const answers = await Promise.all(
        replicas.map(({ send }) => send('/dashboard/session', { headers: { cookie } })),
      );
      if (answers.every(({ status }) => status === 200)) successes += 1;
    }
    expect(successes).toBe(20);
  });

  it('a challenge opens one session in the whole fleet, a logout ends it there', async () => {
    const [key] = keys;
    const { signing_digest } = await challengeOf(replicas[0].send, key.commitment);
    const body = { commitment: key.commitment, signature: key.sign(signing_digest) };
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => verify(replicas[index % 2]!.send, body)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(11);
    const set = answers.find(({ ok }) => ok)?.headers.get('set-cookie');
    const headers = { cookie: set?.split(';')[0] ?? '' };
    const statuses = () =>
      Promise.all(
        replicas.map(async ({ send }) => (await send('/dashboard/session', { headers })).status),
      );
    expect(await statuses()).toEqual([200, 200]);
    await replicas[1].send('/auth/logout', { method: 'POST', headers });
    expect(await statuses()).toEqual([401, 401]);
  });

  it('challenge cap race: eight are live however many both replicas are asked for', async () => {
    const [, key] = keys;
    await Promise.all(
      Array.from({ length: 30 }, (_, n) => challengeOf(replicas[n % 2]!.send, key.commitment)),
    );
    const [row] = await databases[0]!.sql<{ live: number }[]>`
      select count(*)::integer as live from guardian.auth_challenge
      where realm = 'operator' and principal = ${key.commitment} and consumed_at is null`;
    expect(row?.live).toBe(8);
  });

  it('SC-004: over 100 page turns between replicas, nothing skipped and nothing twice', async () => {
    const database = databases[0]!;
    await insertAccounts(database, 60);
    for (let nonce = 0; nonce < 60; nonce += 1) {
      const status = nonce % 2 ? 'canonical' : 'retained';
      const account = accountOf(nonce % 3 ? 1 : 2 + nonce);
      await insertDelta(database, { account, nonce, status, secondsAgo: nonce % 7 });
    }
    for (let n = 10; n < 40; n += 1) {
      const commitment = `0x${String(n).repeat(32)}`;
      await insertProposal(database, {
        account: accountOf(1),
        commitment,
        nonce: n % 9,
        payload: '{}',
        signers: 0,
        secondsAgo: n % 5,
      });
    }
    const headers = { cookie: await logIn(keys[0], replicas[0].send) };
    const { send, turns } = alternating();
    const get = async (path: string) => {
      const answer = await send(path, { headers });
      expect(answer.status, path).toBe(200);
      return (await answer.json()) as Record<string, unknown>;
    };
    let pages = 0;
    for (const [path, limit, key] of [
      ['/dashboard/accounts', 2, 'account_id'],
      ['/dashboard/accounts?paused=true', 1, 'account_id'],
      ['/dashboard/deltas', 2, 'nonce'],
      [`/dashboard/accounts/${accountOf(1)}/deltas`, 2, 'nonce'],
      ['/dashboard/proposals', 2, 'commitment'],
      [`/dashboard/accounts/${accountOf(1)}/proposals`, 2, 'commitment'],
    ] as const) {
      const whole = await walk(get, path, 500);
      const paged = await walk(get, path, limit);
      expect(paged.items).toEqual(whole.items);
      expect(new Set(paged.items.map((item) => item[key])).size).toBe(whole.items.length);
      pages += paged.pages - 1;
    }
    expect(pages).toBeGreaterThanOrEqual(100);
    expect(turns()).toBeGreaterThan(pages);
  });

  it('counts canonical deltas once and for all, on whichever replica sweeps', async () => {
    const [one, two] = databases as [Database, Database];
    const before = await counted(one);
    for (let nonce = 0; nonce < 7; nonce += 1) {
      const at = { account: accountOf(50), nonce: 1_000 + nonce, status: 'canonical' } as const;
      await insertDelta(one, { ...at, secondsAgo: nonce < 5 ? 3_600 - (nonce % 2) : 0 });
    }
    const expected = before.shown + 7n;
    expect((await counted(two)).shown).toBe(expected);
    const step = async ({ sql }: Database) =>
      (await sql<{ more: boolean }[]>`select guardian.count_canonical(2) as more`)[0]?.more;
    // in pieces of two, by both at once
    let rounds = 0;
    for (let more = true; more && rounds < 60; rounds += 1) {
      const answers = await Promise.all([step(one), step(two), step(one)]);
      more = answers.some(Boolean);
      expect((await counted(two)).shown).toBe(expected);
    }
    expect(rounds).toBeGreaterThan(1);
    expect(rounds).toBeLessThan(60);
    const after = await counted(one);
    expect(after.stored).toBeGreaterThanOrEqual(5n);
    expect(after.shown - after.stored).toBeGreaterThanOrEqual(2n);
  });

  const counted = async ({ sql }: Database) => {
    const [row] = await sql<{ shown: bigint; stored: bigint }[]>`
      select deltas as shown, (select deltas from guardian.canonical_count) as stored
      from guardian.delta_counts() where status = 'canonical'`;
    if (!row) throw new Error('no count');
    return row;
  };
});
