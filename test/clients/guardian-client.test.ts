/** The published Guardian client, unmodified, against every runtime and database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SignatureScheme } from '../../src/guardian/networks/network.ts';
import { startSystem, type Replicas, type Storage, type System } from '../support/system.ts';
import { openWallet } from '../support/wallet.ts';

/** How the account data of a system is stored. */
type Stored = 'in the clear' | 'encrypted';

const systems: [Replicas, Storage, Stored][] = [
  ['node', 'embedded', 'in the clear'],
  ['node', 15, 'in the clear'],
  ['node', 18, 'in the clear'],
  ['deno', 'embedded', 'in the clear'],
  ['deno', 15, 'in the clear'],
  ['deno', 18, 'in the clear'],
  ['three replicas', 18, 'in the clear'],
  ['three replicas', 18, 'encrypted'],
];

const accounts: [SignatureScheme, '0.15' | '0.16'][] = [
  ['falcon', '0.16'],
  ['ecdsa', '0.16'],
  ['falcon', '0.15'],
];

describe.each(systems)('guardian-client 0.17.0 on %s with database %s, %s', (...named) => {
  const [replicas, storage, stored] = named;
  const env: Record<string, string> =
    stored === 'encrypted'
      ? { GUARDIAN_STORAGE_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64') }
      : {};
  let system: System;
  beforeAll(async () => {
    system = await startSystem(replicas, storage, env);
  });
  afterAll(() => system.stop());

  it('reads status and public keys', async () => {
    const wallet = await openWallet(system.url, 'ecdsa');
    expect(await wallet.client.getStatus()).toMatchObject({ status: 'ok', environment: 'local' });
    expect(await wallet.client.getPubkey('ecdsa')).toEqual({
      commitment: expect.stringMatching(/^0x[0-9a-f]{64}$/) as string,
      pubkey: expect.stringMatching(/^0x0[23][0-9a-f]{64}$/) as string,
    });
    const falcon = await wallet.client.getPubkey('falcon');
    expect(falcon.pubkey).toBeUndefined();
    expect(await wallet.client.getPubkey()).toEqual(falcon);
  });

  it.each(accounts)('configures, pushes three deltas, reads (%s, protocol %s)', async (...args) => {
    const [scheme, protocol] = args;
    const wallet = await openWallet(system.url, scheme, protocol);
    const configured = await wallet.configure();
    expect(configured).toMatchObject({ success: true });
    for (const nonce of [1, 2, 3]) {
      const pushed = await wallet.push(nonce);
      expect(pushed).toMatchObject({ accountId: wallet.accountId, nonce, ackScheme: scheme });
      expect(pushed.ackSig).toMatch(scheme === 'falcon' ? /^[0-9a-f]{3048}$/ : /^[0-9a-f]{130}$/);
      expect(await wallet.client.getDelta(wallet.accountId, nonce)).toMatchObject({
        ...pushed,
        status: { status: 'candidate' },
      });
      await system.chain.land(wallet.accountId, pushed.newCommitment ?? '');
      expect(await wallet.settled(nonce)).toBe('canonical');
      await wallet.refresh();
      expect(wallet.commitment).toBe(pushed.newCommitment);
    }
  });

  it('refuses with codes the client knows', async () => {
    const wallet = await openWallet(system.url, 'ecdsa');
    await expect(wallet.client.getState(wallet.accountId)).rejects.toMatchObject({
      code: 'account_not_found',
      status: 404,
    });
    await wallet.configure();
    const first = await wallet.push(1);
    await expect(wallet.push(2)).rejects.toMatchObject({
      code: 'conflict_pending_delta',
      status: 409,
    });
    expect(await wallet.push(1)).toEqual(first);
    await expect(wallet.client.getDelta(wallet.accountId, 9)).rejects.toMatchObject({
      code: 'delta_not_found',
    });
    const stranger = await openWallet(system.url, 'ecdsa');
    await expect(stranger.client.getState(wallet.accountId)).rejects.toMatchObject({
      code: 'authentication_failed',
      status: 401,
    });
    await system.chain.land(wallet.accountId, first.newCommitment ?? '');
    await wallet.settled(1);
    await expect(wallet.push(3)).rejects.toMatchObject({
      code: 'commitment_mismatch',
      status: 400,
    });
  });
});
