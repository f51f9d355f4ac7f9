/** The same API as a Deno process on Postgres; and what a process refuses or must not say. */
import { falcon512 } from '@noble/post-quantum/falcon.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runNode } from '../support/process.ts';
import { configureCases, conflictCases } from './cases/accounts.ts';
import { headerCases, replayCases } from './cases/authentication.ts';
import { gateCases } from './cases/gates.ts';
import { exactPayloadCases, hostileConfigureCases, hostileDeltaCases } from './cases/hostile.ts';
import { bodyCases, deepJsonCases, routeCases } from './cases/transport.ts';
import { exchange, openDeno, type Service } from './service.ts';
import { openHolder } from './signed.ts';

const secrets = {
  falcon: bytesToHex(falcon512.keygen(new Uint8Array(48).fill(3)).secretKey),
  ecdsa: '0c'.repeat(32),
};

let opened: Service;
beforeAll(async () => {
  opened = await openDeno({
    GUARDIAN_ACK_SECRET_PROVIDER: 'env',
    GUARDIAN_ACK_FALCON_SECRET: secrets.falcon,
    GUARDIAN_ACK_ECDSA_SECRET: secrets.ecdsa,
  });
});
afterAll(() => opened.close());
const service = () => opened;

describe('on Deno', () => {
  describe('routes', () => routeCases(service));
  describe('bodies', () => bodyCases(service));
  describe('deep JSON', () => deepJsonCases(service));
  describe('signature headers', () => headerCases(service));
  describe('configuring', () => configureCases(service));
  describe('conflicts', () => conflictCases(service));
  describe('replay', () => replayCases(service));
  describe('paused and released accounts', () => gateCases(service));
  describe('hostile configurations', () => hostileConfigureCases(service));
  describe('hostile deltas', () => hostileDeltaCases(service));
  describe('payloads', () => exactPayloadCases(service));

  it('writes neither keys nor signatures nor payloads to its output', async () => {
    const holder = await openHolder(opened.send);
    const push = holder.post('/delta', holder.deltaBody(1, { metadata: { note: 'do-not-log' } }));
    expect((await exchange(opened, push)).status).toBe(200);
    await expect.poll(() => opened.output()).toMatch(/"route":"\/delta","status":200/);
    for (const secret of [
      secrets.falcon.slice(2, 42),
      secrets.ecdsa,
      push.init.headers['x-signature'] ?? '',
      'do-not-log',
    ]) {
      expect(opened.output()).not.toContain(secret);
    }
  });
});

describe('the prod stage', () => {
  const production = {
    GUARDIAN_ENV: 'prod',
    GUARDIAN_NETWORK_TYPE: 'testnet',
    GUARDIAN_ACK_SECRET_PROVIDER: 'env',
    GUARDIAN_ACK_FALCON_SECRET: secrets.falcon,
    GUARDIAN_ACK_ECDSA_SECRET: secrets.ecdsa,
    DATABASE_URL: 'postgres://canonry:pass-word@127.0.0.1:9/canonry',
  };

  it.each([
    ['the embedded database', 'src/entry/api.ts', { DATABASE_URL: '' }, /set DATABASE_URL/],
    [
      'generated keys',
      'src/entry/api.ts',
      { GUARDIAN_ACK_SECRET_PROVIDER: 'none' },
      /set GUARDIAN_ACK_SECRET_PROVIDER/,
    ],
    ['the development chain', 'src/entry/dev-chain.ts', {}, /development.*GUARDIAN_ENV is prod/],
    ['the all-in-one process', 'src/entry/dev.ts', {}, /development.*GUARDIAN_ENV is prod/],
  ])('refuses %s', async (_name, file, change, message) => {
    const refused = runNode(file, { env: { ...production, ...change } });
    expect(await refused.exit).toBe(1);
    expect(refused.output()).toMatch(message);
    expect(refused.output().trim().split('\n').length).toBeLessThanOrEqual(2);
    for (const secret of [secrets.falcon.slice(2, 42), secrets.ecdsa, 'pass-word']) {
      expect(refused.output()).not.toContain(secret);
    }
  });

  it('names a variable that cannot be used, and never the value of a secret', async () => {
    const refused = runNode('src/entry/api.ts', {
      env: { ...production, GUARDIAN_ACK_ECDSA_SECRET: 'not-a-key-0c0c', PORT: 'http' },
    });
    expect(await refused.exit).toBe(1);
    expect(refused.output()).toContain('PORT');
    expect(refused.output()).not.toContain('not-a-key-0c0c');
  });
});
