/** The same API as a Deno process on Postgres; and what it must not say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ackSecrets as secrets } from '../support/ack-secrets.ts';
import { configureCases, conflictCases, identifierCases } from './cases/accounts.ts';
import { headerCases, lookupCases, replayCases } from './cases/authentication.ts';
import { gateCases } from './cases/gates.ts';
import { exactPayloadCases, hostileConfigureCases, hostileDeltaCases } from './cases/hostile.ts';
import { bodyCases, deepJsonCases, routeCases } from './cases/transport.ts';
import { exchange, openDeno, type Service } from './service.ts';
import { openHolder } from './signed.ts';

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
  describe('look-ups', () => lookupCases(service));
  describe('configuring', () => configureCases(service));
  describe('conflicts', () => conflictCases(service));
  describe('identifiers', () => identifierCases(service));
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
