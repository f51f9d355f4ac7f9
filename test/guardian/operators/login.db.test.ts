/** Logins of operators, in one process. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import { canonicalJson } from '../../../src/guardian/authentication/canonical-json.ts';
import { textWord } from '../../../src/guardian/authentication/request-message.ts';
import { wordToHex } from '../../../src/guardian/networks/miden/word.ts';
import { operatorLimits } from '../../../src/limits.ts';
import { expectRefusal, openInProcess, type Service } from '../../http/service.ts';
import {
  challengeOf,
  createOperatorKey,
  logIn,
  verify,
  writeAllowlist,
  type AllowlistFile,
} from '../../operators/operator.ts';
import { everyDatabase } from '../../support/databases.ts';

const stranger = createOperatorKey();
const asking = (cookie: string) => ({ path: '/dashboard/session', init: { headers: { cookie } } });

describe.each(everyDatabase)('logins of operators on $name', ({ open }) => {
  const falcon = createOperatorKey();
  const ecdsa = createOperatorKey('ecdsa');
  const list = [
    falcon.publicKey,
    { public_key: ecdsa.publicKey, permissions: ['dashboard:read', 'accounts:pause'] },
  ];
  let database: Database;
  let service: Service;
  let allowlist: AllowlistFile;
  beforeAll(async () => {
    database = await open();
    allowlist = writeAllowlist(list);
    service = await openInProcess(allowlist.environment, database);
  });
  afterAll(async () => {
    await service?.close();
    await database?.close();
    allowlist?.remove();
  });
  const get = async (path: string, cookie: string) => {
    const answer = await service.send(path, { headers: { cookie } });
    return (await answer.json()) as Record<string, unknown>;
  };

  it.each([
    ['Falcon', falcon, ['dashboard:read']],
    ['ECDSA', ecdsa, ['accounts:pause', 'dashboard:read']],
  ] as const)('lets a %s key in, with its permissions sorted', async (_name, key, permissions) => {
    const cookie = await logIn(key, service.send);
    expect(cookie).toMatch(/^guardian_operator_session=[0-9a-f]{64}$/);
    const session = { operator_id: key.commitment, permissions };
    expect(await get('/dashboard/session', cookie)).toEqual(session);
  });

  it('asks for a signature over the canonical form of the challenge', async () => {
    const { signing_digest, ...challenge } = await challengeOf(service.send, falcon.commitment);
    expect(challenge).toEqual({
      domain: '*',
      commitment: falcon.commitment,
      nonce: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    });
    expect(signing_digest).toBe(wordToHex(textWord(canonicalJson(challenge))));
  });

  it('sends the cookie of the protocol', async () => {
    const { signing_digest } = await challengeOf(service.send, falcon.commitment);
    const answer = await verify(service.send, {
      commitment: falcon.commitment,
      signature: falcon.sign(signing_digest),
    });
    expect(await answer.json()).toEqual({
      success: true,
      operator_id: falcon.commitment,
      expires_at: expect.stringMatching(/Z$/) as string,
    });
    const [pair, ...attributes] = answer.headers.get('set-cookie')?.split('; ') ?? [];
    expect(attributes).toEqual(
      expect.arrayContaining(['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=28800']),
    );
    expect(attributes).not.toContain('Secure');
    expect(pair).toMatch(/^guardian_operator_session=[0-9a-f]{64}$/);
  });

  it('digest-keying observed in the stored row: the token itself is nowhere', async () => {
    const cookie = await logIn(falcon, service.send);
    const token = cookie.split('=')[1] ?? '';
    const digest = createHash('sha256').update(token).digest('hex');
    const rows = await database.sql<{ digest: string; row: string }[]>`
      select encode(token_digest, 'hex') as digest, s::text as row
      from guardian.auth_session s where realm = 'operator'`;
    expect(rows.map((row) => row.digest)).toContain(digest);
    for (const { row } of rows) expect(row).not.toContain(token);
  });

  it('answers a stranger in the same form, and stores nothing for it', async () => {
    const known = await challengeOf(service.send, falcon.commitment);
    const decoy = await challengeOf(service.send, stranger.commitment);
    expect(Object.keys(decoy)).toEqual(Object.keys(known));
    for (const [name, pattern] of [
      ['nonce', /^[0-9a-f]{64}$/],
      ['signing_digest', /^0x[0-9a-f]{64}$/],
    ] as const) {
      expect(decoy[name]).toMatch(pattern);
      expect(known[name]).toMatch(pattern);
    }
    expect(Math.abs(Date.parse(decoy.expires_at) - Date.parse(known.expires_at))).toBeLessThan(
      5_000,
    );
    expect(
      await database.sql`select 1 from guardian.auth_challenge
        where principal = ${stranger.commitment}`,
    ).toEqual([]);
    const signature = stranger.sign(decoy.signing_digest);
    const answer = await verify(service.send, { commitment: stranger.commitment, signature });
    expect(answer.status).toBe(401);
  });

  it('refuses every wrong answer with one and the same 401', async () => {
    const { signing_digest } = await challengeOf(service.send, falcon.commitment);
    const { commitment } = falcon;
    const right = falcon.sign(signing_digest);
    const bodies = [
      { commitment, signature: stranger.sign(signing_digest) },
      { commitment, signature: falcon.sign(wordToHex([1n, 2n, 3n, 4n])) },
      { commitment, signature: right.slice(0, -2) },
      { commitment, signature: `${right}00` },
      { commitment, signature: 'hello' },
      { commitment, signature: '' },
      { commitment: stranger.commitment, signature: right },
      { commitment: ecdsa.commitment, signature: right },
      { commitment: 'hello', signature: right },
    ];
    const answers = await Promise.all(bodies.map((body) => verify(service.send, body)));
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(answers.map(({ status }) => status)).toEqual(bodies.map(() => 401));
    expect(new Set(texts).size).toBe(1);
    expect(answers.some(({ headers }) => headers.has('set-cookie'))).toBe(false);
    // none of them used the challenge up
    expect((await verify(service.send, { commitment, signature: right })).status).toBe(200);
    // that one did
    expect((await verify(service.send, { commitment, signature: right })).status).toBe(401);
  });

  it('a refusal comes as late for a stranger as for an operator whose challenges are tried', async () => {
    const signature = stranger.sign(wordToHex([1n, 2n, 3n, 4n]));
    for (const key of [falcon, ecdsa, stranger]) {
      for (let n = 0; n < 8; n += 1) await challengeOf(service.send, key.commitment);
      const started = performance.now();
      const answer = await verify(service.send, { commitment: key.commitment, signature });
      expect(answer.status).toBe(401);
      // timers may be early by a fraction of a millisecond
      expect(performance.now() - started).toBeGreaterThan(operatorLimits.refusalMs - 2);
    }
  });

  it('refuses what is not a commitment or not a login', async () => {
    for (const text of ['', 'hello', `${falcon.commitment}0`, '0x12']) {
      const path = `/auth/challenge?commitment=${text}`;
      await expectRefusal(service, { path }, 400, 'invalid_commitment');
    }
    await expectRefusal(service, { path: '/auth/challenge' }, 400, 'invalid_commitment');
    const post = (body: string) => ({
      path: '/auth/verify',
      init: { method: 'POST', body, headers: { 'content-type': 'application/json' } },
    });
    for (const body of ['{', '[]', '{}', '{"commitment":1,"signature":"0x"}']) {
      await expectRefusal(service, post(body), 400, 'invalid_input');
    }
    await expectRefusal(service, post(`"${'x'.repeat(17_000)}"`), 413, 'invalid_input');
  });

  it('one challenge opens one session, whoever answers at once', async () => {
    const { signing_digest } = await challengeOf(service.send, falcon.commitment);
    const body = { commitment: falcon.commitment, signature: falcon.sign(signing_digest) };
    const answers = await Promise.all(Array.from({ length: 8 }, () => verify(service.send, body)));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([200, 401, 401, 401, 401, 401, 401, 401]);
  });

  it('challenge cap race: eight are live however many are asked for at once', async () => {
    await Promise.all(
      Array.from({ length: 24 }, () => challengeOf(service.send, falcon.commitment)),
    );
    const [row] = await database.sql<{ live: number }[]>`
      select count(*)::integer as live from guardian.auth_challenge
      where realm = 'operator' and principal = ${falcon.commitment} and consumed_at is null`;
    expect(row?.live).toBe(8);
    // the newest one is among them
    await logIn(falcon, service.send);
  });

  it('realm-scoped primary key: the same key and token live in two realms apart', async () => {
    const { nonce, signing_digest } = await challengeOf(service.send, falcon.commitment);
    await database.sql`select guardian.issue_challenge('evm', ${nonce}, 'p', '{}', 300, 8)`;
    await database.sql`select guardian.open_session('evm', ${nonce}, 'p', sha256('x'), 'p', 60)`;
    const login = { commitment: falcon.commitment, signature: falcon.sign(signing_digest) };
    const answer = await verify(service.send, login);
    expect(answer.status).toBe(200);
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    const token = cookie.split('=')[1] ?? '';
    // the same token in the other realm is revoked: this one stays
    await database.sql`insert into guardian.auth_session
      select 'evm', token_digest, subject, created_at, expires_at, now()
      from guardian.auth_session where token_digest = sha256(${token}::text::bytea)`;
    expect((await service.send('/dashboard/session', { headers: { cookie } })).status).toBe(200);
    // and a token of the other realm opens nothing here
    const foreign = createHash('sha256').update(nonce).digest('hex');
    await database.sql`insert into guardian.auth_session values ('evm',
      sha256(${foreign}::text::bytea), ${falcon.commitment}, now(), now() + interval '1 h', null)`;
    await expectRefusal(
      service,
      asking(`guardian_operator_session=${foreign}`),
      401,
      'authentication_failed',
    );
  });

  it('refuses an expired challenge and an expired session', async () => {
    const { signing_digest } = await challengeOf(service.send, falcon.commitment);
    await service.execute(`update guardian.auth_challenge set expires_at = clock_timestamp()
      where realm = 'operator'`);
    const login = { commitment: falcon.commitment, signature: falcon.sign(signing_digest) };
    expect((await verify(service.send, login)).status).toBe(401);
    const cookie = await logIn(falcon, service.send);
    await service.execute(`update guardian.auth_session set expires_at = clock_timestamp()
      where realm = 'operator'`);
    await expectRefusal(service, asking(cookie), 401, 'authentication_failed');
  });

  it('ends a session at logout, with or without one', async () => {
    const cookie = await logIn(falcon, service.send);
    for (const sent of [cookie, cookie, '', 'guardian_operator_session=%zz']) {
      const answer = await service.send('/auth/logout', {
        method: 'POST',
        headers: { cookie: sent },
      });
      expect(await answer.json()).toEqual({ success: true });
      expect(answer.headers.get('set-cookie')).toMatch(
        /^guardian_operator_session=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970/,
      );
    }
    await expectRefusal(service, asking(cookie), 401, 'authentication_failed');
    await expectRefusal(service, { path: '/dashboard/session' }, 401, 'authentication_failed');
  });

  it('logout fails closed: without a stored revocation the cookie is not taken back', async () => {
    const cookie = await logIn(falcon, service.send);
    await service.execute('alter table guardian.auth_session rename to gone');
    const answer = await service.send('/auth/logout', { method: 'POST', headers: { cookie } });
    const read = await service.send('/dashboard/session', { headers: { cookie } });
    const login = await logIn(falcon, service.send).catch((error: Error) => error.message);
    await service.execute('alter table guardian.gone rename to auth_session');
    expect(answer.status).toBe(500);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(read.status).toBe(500);
    expect(login).toMatch(/storage_error/);
    expect((await service.send('/dashboard/session', { headers: { cookie } })).status).toBe(200);
  });

  it('answers 429 to a key that is tried too often, an operator’s or not', async () => {
    const limited = await openInProcess(
      {
        ...allowlist.environment,
        GUARDIAN_RATE_LIMIT_ENABLED: 'true',
        GUARDIAN_DASHBOARD_COMMITMENT_RATE_PER_MIN: '3',
      },
      database,
    );
    for (const { commitment } of [falcon, stranger]) {
      const path = `/auth/challenge?commitment=${commitment}`;
      for (let n = 0; n < 3; n += 1) expect((await limited.send(path)).status).toBe(200);
      await expectRefusal(limited, { path }, 429, 'rate_limit_exceeded');
    }
    // another key, from the same place, is not touched by it
    expect(await logIn(ecdsa, limited.send)).not.toBe('');
    await limited.close();
  });
});
