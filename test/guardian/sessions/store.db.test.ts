import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import {
  issueChallenge,
  liveChallenges,
  openSession,
  randomKey,
  revokeSession,
  sessionSubject,
} from '../../../src/guardian/sessions/store.ts';
import { sweepSessions } from '../../../src/guardian/sessions/sweep.ts';
import { everyDatabase } from '../../support/databases.ts';

describe.each(everyDatabase)('sessions on $name', ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database?.close());

  const issue = async (principal: string, realm: 'evm' | 'operator' = 'evm') => {
    const key = randomKey();
    await issueChallenge(database.sql, { realm, principal, key, payload: { for: principal } });
    return key;
  };
  const logIn = async (principal: string) => {
    const key = await issue(principal);
    const login = { realm: 'evm', principal, key, subject: principal } as const;
    const session = await openSession(database.sql, login);
    if (!session) throw new Error('no session');
    return session;
  };
  const keysOf = async (principal: string) =>
    (await liveChallenges(database.sql, 'evm', principal)).map(({ key }) => key);

  it('keeps a challenge for five minutes, with what it holds', async () => {
    const key = await issue('p1');
    const [challenge] = await liveChallenges(database.sql, 'evm', 'p1');
    expect(challenge).toMatchObject({ key, payload: { for: 'p1' } });
    const { issuedAt, expiresAt } = challenge ?? {};
    expect(Number(expiresAt) - Number(issuedAt)).toBe(300_000);
  });

  it('keeps the newest eight of a principal, whoever asks at once', async () => {
    const other = await issue('p3');
    const first = [await issue('p2'), await issue('p2')];
    await Promise.all(Array.from({ length: 20 }, () => issue('p2')));
    const last = await issue('p2');
    const live = await keysOf('p2');
    expect(live).toHaveLength(8);
    expect(live[0]).toBe(last);
    for (const key of first) expect(live).not.toContain(key);
    expect(await keysOf('p3')).toEqual([other]);
  });

  it('opens one session for a challenge, whoever answers at once', async () => {
    const key = await issue('p4');
    const login = { realm: 'evm', principal: 'p4', key, subject: 'p4' } as const;
    const sessions = await Promise.all(
      Array.from({ length: 10 }, () => openSession(database.sql, login)),
    );
    expect(sessions.filter(Boolean)).toHaveLength(1);
    expect(await openSession(database.sql, login)).toBeUndefined();
    expect(await keysOf('p4')).toEqual([]);
  });

  it('opens none for another principal, realm or key, and the challenge stays', async () => {
    const key = await issue('p5');
    const right = { realm: 'evm', principal: 'p5', key, subject: 'p5' } as const;
    for (const wrong of [
      { ...right, principal: 'p6' },
      { ...right, realm: 'operator' as const },
      { ...right, key: randomKey() },
    ]) {
      expect(await openSession(database.sql, wrong)).toBeUndefined();
    }
    expect(await keysOf('p5')).toEqual([key]);
    expect(await openSession(database.sql, right)).toBeDefined();
  });

  it('stores digests, not tokens', async () => {
    const { token } = await logIn('p7');
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    const [row] = await database.sql<{ digest: string; dump: string }[]>`
      select encode(token_digest, 'hex') as digest, s::text as dump
      from guardian.auth_session s where subject = 'p7'`;
    expect(row?.digest).toBe(createHash('sha256').update(token).digest('hex'));
    expect(row?.dump).not.toContain(token);
  });

  it('knows a session in its realm until it is revoked', async () => {
    const { token, expiresAt } = await logIn('p8');
    expect(Math.abs(Number(expiresAt) - Date.now() - 28_800_000)).toBeLessThan(60_000);
    expect(await sessionSubject(database.sql, 'evm', token)).toBe('p8');
    expect(await sessionSubject(database.sql, 'operator', token)).toBeUndefined();
    expect(await sessionSubject(database.sql, 'evm', randomKey())).toBeUndefined();
    await revokeSession(database.sql, 'operator', token);
    expect(await sessionSubject(database.sql, 'evm', token)).toBe('p8');
    await revokeSession(database.sql, 'evm', token);
    await revokeSession(database.sql, 'evm', token);
    expect(await sessionSubject(database.sql, 'evm', token)).toBeUndefined();
  });

  it('lets the clock of the database decide, and sweeps what has expired only', async () => {
    const key = await issue('p9');
    const session = await logIn('p9');
    const revoked = await logIn('p9');
    await revokeSession(database.sql, 'evm', revoked.token);
    await sweepSessions(database.sql);
    const rows = async () =>
      (await database.sql`select 1 from guardian.auth_session where subject = 'p9'`).length;
    expect(await rows()).toBe(2);
    await database.sql`update guardian.auth_challenge set expires_at = clock_timestamp()`;
    await database.sql`update guardian.auth_session set expires_at = clock_timestamp()
      where subject = 'p9'`;
    const login = { realm: 'evm', principal: 'p9', key, subject: 'p9' } as const;
    expect(await keysOf('p9')).toEqual([]);
    expect(await openSession(database.sql, login)).toBeUndefined();
    expect(await sessionSubject(database.sql, 'evm', session.token)).toBeUndefined();
    expect(await sweepSessions(database.sql)).toBeGreaterThan(2);
    expect(await rows()).toBe(0);
    expect(await database.sql`select 1 from guardian.auth_challenge`).toHaveLength(0);
    expect(await sweepSessions(database.sql)).toBe(0);
  });

  it('throws when it cannot read, instead of answering', async () => {
    const closed = await open();
    await closed.close();
    await expect(sessionSubject(closed.sql, 'evm', randomKey())).rejects.toThrow();
    await expect(
      openSession(closed.sql, { realm: 'evm', principal: 'p', key: 'k', subject: 'p' }),
    ).rejects.toThrow();
  });
});
