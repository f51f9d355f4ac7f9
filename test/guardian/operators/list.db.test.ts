/** The list of operators under a running API, and the cookie of a login. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectRefusal, openInProcess } from '../../http/service.ts';
import {
  allPermissions,
  challengeOf,
  createOperatorKey,
  logIn,
  verify,
  writeAllowlist,
} from '../../operators/operator.ts';

const falcon = createOperatorKey();
const ecdsa = createOperatorKey('ecdsa');
const stranger = createOperatorKey();
const list = [falcon.publicKey, ecdsa.publicKey];
const asking = (cookie: string) => ({ path: '/dashboard/session', init: { headers: { cookie } } });

const open = async () => {
  const allowlist = writeAllowlist(list);
  const service = await openInProcess(allowlist.environment);
  onTestFinished(async () => {
    await service.close();
    allowlist.remove();
  });
  return { allowlist, service };
};

describe('the list of operators', () => {
  it('a changed list counts from the next request on', async () => {
    const { allowlist, service } = await open();
    const permissions = async () =>
      (await service.send('/dashboard/session', { headers: { cookie } })).json();
    const cookie = await logIn(ecdsa, service.send);
    allowlist.write([{ public_key: ecdsa.publicKey, permissions: allPermissions.toReversed() }]);
    expect(await permissions()).toMatchObject({ permissions: allPermissions });
    allowlist.write([{ public_key: ecdsa.publicKey, permissions: [] }]);
    expect(await permissions()).toMatchObject({ permissions: [] });
    allowlist.write([falcon.publicKey]);
    await expectRefusal(service, asking(cookie), 401, 'authentication_failed');
    // the session has ended: the way back in is another login
    allowlist.write(list);
    await expectRefusal(service, asking(cookie), 401, 'authentication_failed');
    await logIn(ecdsa, service.send);
  });

  it('a list that cannot be used lets nobody in, and tells nobody why', async () => {
    const { allowlist, service } = await open();
    const cookie = await logIn(falcon, service.send);
    const { signing_digest } = await challengeOf(service.send, falcon.commitment);
    const login = { commitment: falcon.commitment, signature: falcon.sign(signing_digest) };
    for (const broken of ['{', '[1]', '["00"]', [falcon.publicKey, falcon.publicKey]]) {
      allowlist.write(broken);
      const answers = [
        await service.send('/dashboard/session', { headers: { cookie } }),
        await service.send(`/auth/challenge?commitment=${falcon.commitment}`),
        await verify(service.send, login),
      ];
      for (const answer of answers) {
        expect(answer.status).toBe(500);
        const text = await answer.text();
        expect(JSON.parse(text)).toMatchObject({ code: 'configuration_error' });
        expect(text).not.toContain('operators.json');
      }
    }
    allowlist.write(list);
    expect((await verify(service.send, login)).status).toBe(200);
    expect((await service.send('/dashboard/session', { headers: { cookie } })).status).toBe(200);
  });
});

describe('the cookie of operators', () => {
  const key = createOperatorKey('ecdsa');
  const attributesOf = async (extra: Record<string, string>, headers: Record<string, string>) => {
    const allowlist = writeAllowlist([key.publicKey]);
    const service = await openInProcess({ ...allowlist.environment, ...extra });
    onTestFinished(async () => {
      await service.close();
      allowlist.remove();
    });
    const { signing_digest } = await challengeOf(service.send, key.commitment);
    const answer = await service.send('/auth/verify', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ commitment: key.commitment, signature: key.sign(signing_digest) }),
    });
    return answer.headers.get('set-cookie')?.split('; ');
  };
  const https = { 'x-forwarded-proto': 'https' };

  it('is Secure in prod, and behind a trusted proxy that says https', async () => {
    expect(await attributesOf({ GUARDIAN_ENV: 'prod' }, {})).toContain('Secure');
    expect(await attributesOf({ CANONRY_TRUST_PROXY: 'true' }, https)).toContain('Secure');
    expect(await attributesOf({}, https)).not.toContain('Secure');
  });
});

describe('without a list of operators', () => {
  it('everybody gets a decoy, and nobody in', async () => {
    const service = await openInProcess();
    onTestFinished(() => service.close());
    const { signing_digest } = await challengeOf(service.send, stranger.commitment);
    const signature = stranger.sign(signing_digest);
    const answer = await verify(service.send, { commitment: stranger.commitment, signature });
    expect(answer.status).toBe(401);
    await expectRefusal(service, { path: '/dashboard/session' }, 401, 'authentication_failed');
  });

  it('a list that cannot be used keeps the API from starting', async () => {
    const allowlist = writeAllowlist('[{"public_key":"00","permissions":[]}]');
    onTestFinished(() => allowlist.remove());
    await expect(openInProcess(allowlist.environment)).rejects.toThrow(
      'GUARDIAN_OPERATOR_PUBLIC_KEYS_FILE: entry 0 is not a public key.',
    );
    allowlist.remove();
    await expect(openInProcess(allowlist.environment)).rejects.toThrow('ENOENT');
  });
});
