/** Logins of EVM wallets, in one process on the embedded database. */
import { buildEvmSessionTypedData, signTypedData } from '@openzeppelin/guardian-evm-client';
import type { Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openCaller, type Caller } from '../../evm/caller.ts';
import { openEvmWallet } from '../../evm/wallet.ts';
import { expectRefusal, openInProcess, type Service } from '../../http/service.ts';

const somebody: Hex = `0x${'5b'.repeat(20)}`;
const unknownAccount = `evm:31337:0x${'00'.repeat(20)}`;
/** No login asks the chain. */
const environment = { GUARDIAN_EVM_RPC_URLS: '31337=http://127.0.0.1:9' };

describe('without GUARDIAN_EVM_RPC_URLS', () => {
  it('there are no EVM routes', async () => {
    const service = await openInProcess();
    onTestFinished(() => service.close());
    for (const [method, path] of [
      ['GET', '/evm/auth/challenge'],
      ['POST', '/evm/auth/verify'],
      ['POST', '/evm/auth/logout'],
      ['POST', '/evm/accounts'],
      ['GET', '/evm/proposals'],
      ['POST', '/evm/proposals/0x/approve'],
    ] as const) {
      await expectRefusal(service, { path, init: { method } }, 404, 'invalid_input');
    }
  });
});

describe('EVM logins', () => {
  let service: Service;
  beforeAll(async () => {
    service = await openInProcess(environment);
  });
  afterAll(() => service?.close());
  const open = () => {
    const wallet = openEvmWallet('http://unused');
    return { wallet, caller: openCaller(service, wallet) };
  };

  it('asks for the signature that the published client builds', async () => {
    const { wallet, caller } = open();
    const challenge = await caller.challenge(`0x${wallet.address.slice(2).toUpperCase()}`);
    expect(challenge.address).toBe(wallet.address);
    expect(challenge.typed_data).toEqual(
      buildEvmSessionTypedData({
        address: wallet.address,
        nonce: challenge.nonce,
        issuedAt: challenge.issued_at,
        expiresAt: challenge.expires_at,
      }),
    );
    await caller.refused('/evm/auth/challenge?address=0x12', undefined, 400, 'invalid_input');
    await caller.refused('/evm/auth/challenge', undefined, 400, 'invalid_input');
  });

  /** Attributes of the cookie of a login. */
  const cookieOf = async (caller: Caller, headers: Record<string, string> = {}) => {
    const [pair, ...attributes] =
      (await caller.login({}, headers)).headers.get('set-cookie')?.split('; ') ?? [];
    expect(pair).toMatch(/^guardian_evm_session=0x[0-9a-f]{64}$/);
    return attributes;
  };
  const behind = (proto: string) => ({ 'x-forwarded-proto': proto });

  it('sends the cookie of the protocol', async () => {
    const attributes = await cookieOf(open().caller);
    expect(attributes).toEqual(
      expect.arrayContaining(['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=28800']),
    );
    expect(attributes.some((text) => text.startsWith('Expires='))).toBe(true);
    expect(attributes).not.toContain('Secure');
    // no proxy is trusted to set this
    expect(await cookieOf(open().caller, behind('https'))).not.toContain('Secure');
  });

  it('marks the cookie Secure behind a trusted proxy that says https', async () => {
    const other = await openInProcess({ ...environment, CANONRY_TRUST_PROXY: 'true' });
    onTestFinished(() => other.close());
    const caller = openCaller(other, openEvmWallet('http://unused'));
    expect(await cookieOf(caller, behind('https, http'))).toContain('Secure');
    expect(await cookieOf(caller, behind('http'))).not.toContain('Secure');
    expect(await cookieOf(caller)).not.toContain('Secure');
  });

  it('marks the cookie Secure in prod, always', async () => {
    const other = await openInProcess({ ...environment, GUARDIAN_ENV: 'prod' });
    onTestFinished(() => other.close());
    const caller = openCaller(other, openEvmWallet('http://unused'));
    expect(await cookieOf(caller, behind('http'))).toContain('Secure');
  });

  it.each([
    ['another address', () => ({ address: somebody })],
    ['another nonce', () => ({ nonce: `0x${'00'.repeat(32)}` })],
    ['a signature of somebody else', () => ({ signature: `0x${'11'.repeat(64)}1b` })],
    ['a signature that is none', () => ({ signature: `0x${'00'.repeat(65)}` })],
    ['text for a signature', () => ({ signature: 'hello' })],
    ['text for an address', () => ({ address: 'hello' })],
  ])('refuses %s without a cookie', async (_name, change) => {
    const response = await open().caller.login(change());
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'authentication_failed' });
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it('a wrong answer leaves the challenge, the right one uses it up', async () => {
    const { wallet, caller } = open();
    const { nonce, typed_data } = await caller.challenge();
    const thief = openEvmWallet('http://unused');
    const wrong = await signTypedData(thief.provider, thief.address, typed_data);
    const right = await signTypedData(wallet.provider, wallet.address, typed_data);
    const body = { address: wallet.address, nonce };
    await caller.refused(
      '/evm/auth/verify',
      { ...body, signature: wrong },
      401,
      'authentication_failed',
    );
    // neither may the thief use it as its own
    await caller.refused(
      '/evm/auth/verify',
      { address: thief.address, nonce, signature: wrong },
      401,
      'authentication_failed',
    );
    expect(await caller.post('/evm/auth/verify', { ...body, signature: right })).toMatchObject({
      address: wallet.address,
    });
    await caller.refused(
      '/evm/auth/verify',
      { ...body, signature: right },
      401,
      'authentication_failed',
    );
  });

  it('refuses an expired challenge and an expired session', async () => {
    const { wallet, caller } = open();
    const { nonce, typed_data } = await caller.challenge();
    const signature = await signTypedData(wallet.provider, wallet.address, typed_data);
    await service.execute(`update guardian.auth_challenge set expires_at = clock_timestamp()
        where principal = '${wallet.address}'`);
    const body = { address: wallet.address, nonce, signature };
    await caller.refused('/evm/auth/verify', body, 401, 'authentication_failed');
    await caller.enter();
    const path = `/evm/proposals?account_id=${unknownAccount}`;
    await caller.refused(path, undefined, 404, 'account_not_found');
    await service.execute(`update guardian.auth_session set expires_at = clock_timestamp()
        where subject = '${wallet.address}'`);
    await caller.refused(path, undefined, 401, 'authentication_failed');
  });

  it('takes the cookie back at logout, with or without a session', async () => {
    const { caller } = open();
    await caller.enter();
    for (const cookie of [caller.cookie, caller.cookie, '', 'guardian_evm_session=%zz']) {
      const response = await service.send('/evm/auth/logout', {
        method: 'POST',
        headers: { cookie },
      });
      expect(await response.json()).toEqual({ success: true });
      expect(response.headers.get('set-cookie')).toMatch(
        /^guardian_evm_session=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970/,
      );
    }
    await caller.refused(
      `/evm/proposals?account_id=${unknownAccount}`,
      undefined,
      401,
      'authentication_failed',
    );
  });

  it('answers 429 to a wallet that is tried too often, and to no other one', async () => {
    const limited = await openInProcess({
      ...environment,
      GUARDIAN_RATE_LIMIT_ENABLED: 'true',
      GUARDIAN_DASHBOARD_COMMITMENT_RATE_PER_MIN: '3',
    });
    onTestFinished(() => limited.close());
    const wallet = openEvmWallet('http://unused');
    const caller = openCaller(limited, wallet);
    await caller.enter();
    const address = `0x${wallet.address.slice(2).toUpperCase()}`;
    for (let n = 0; n < 2; n += 1) await caller.challenge(address);
    const path = `/evm/auth/challenge?address=${wallet.address}`;
    const { headers } = await expectRefusal(limited, { path }, 429, 'rate_limit_exceeded');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    const login = { address, nonce: `0x${'00'.repeat(32)}`, signature: `0x${'11'.repeat(65)}` };
    for (let n = 0; n < 2; n += 1) {
      await caller.refused('/evm/auth/verify', login, 401, 'authentication_failed');
    }
    await caller.refused('/evm/auth/verify', login, 429, 'rate_limit_exceeded');
    await openCaller(limited, openEvmWallet('http://unused')).enter();
  });

  it('every other route needs a session first, whatever it is sent', async () => {
    const { caller } = open();
    caller.cookie = `guardian_evm_session=0x${'00'.repeat(32)}`;
    const id = `0x${'00'.repeat(32)}`;
    for (const path of [
      '/evm/accounts',
      '/evm/proposals',
      `/evm/proposals/${id}/approve`,
      `/evm/proposals/${id}/cancel`,
    ]) {
      await caller.refused(path, {}, 401, 'authentication_failed');
    }
    for (const path of [
      '/evm/proposals',
      `/evm/proposals/${id}`,
      `/evm/proposals/${id}/executable`,
    ]) {
      await caller.refused(path, undefined, 401, 'authentication_failed');
    }
  });

  it('nobody is let in when the sessions cannot be read', async () => {
    const other = await openInProcess(environment);
    onTestFinished(() => other.close());
    const caller = openCaller(other, openEvmWallet('http://unused'));
    await caller.enter();
    await other.execute('alter table guardian.auth_session rename to gone');
    const send = (path: string, method: string) =>
      other.send(path, { method, headers: { cookie: caller.cookie } });
    const read = await send(`/evm/proposals?account_id=${unknownAccount}`, 'GET');
    expect(read.status).toBe(500);
    expect(await read.json()).toMatchObject({ code: 'storage_error' });
    const logout = await send('/evm/auth/logout', 'POST');
    expect(logout.status).toBe(500);
    expect(logout.headers.get('set-cookie')).toBeNull();
    const login = await caller.login();
    expect(login.status).toBe(500);
    expect(login.headers.get('set-cookie')).toBeNull();
    // the challenge of that login is not used up
    await other.execute('alter table guardian.gone rename to auth_session');
    expect((await send(`/evm/proposals?account_id=${unknownAccount}`, 'GET')).status).toBe(404);
  });

  it('a node that does not answer is 502, and its address is no one’s to know', async () => {
    const { wallet, caller } = open();
    await caller.enter();
    const response = await service.send('/evm/accounts', {
      method: 'POST',
      headers: { cookie: caller.cookie, 'content-type': 'application/json' },
      body: JSON.stringify({
        chain_id: 31_337,
        account_address: wallet.address,
        multisig_validator_address: somebody,
      }),
    });
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'rpc_unavailable', meta: { retryable: true } });
    expect(text).not.toMatch(/http|127/);
  });
});
