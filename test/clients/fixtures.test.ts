/** Published accounts and deltas through the published client: the published commitments. */
import { GuardianHttpClient } from '@openzeppelin/guardian-client';
import { hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSigner } from '../../src/demo/wallet.ts';
import { decodeBase64 } from '../../src/guardian/accounts/wire.ts';
import { inspectAccount } from '../../src/guardian/networks/miden/account/engine.ts';
import {
  fixtureFolder,
  fixtureProtocols,
  fixturesMissing,
  readAccountFixture,
} from '../support/fixtures.ts';
import { startSystem } from '../support/system.ts';

const ecdsaKey = '11'.repeat(32);

describe.skipIf(!fixtureFolder)(
  `published deltas${fixtureFolder ? '' : ` ${fixturesMissing}`}`,
  () => {
    it.each(fixtureProtocols)('account and delta of protocol %s', async (protocol) => {
      const fixture = readAccountFixture(protocol);
      const system = await startSystem('node', 'embedded', {
        GUARDIAN_ACK_SECRET_PROVIDER: 'env',
        GUARDIAN_ACK_FALCON_SECRET: fixture.keys['guardian_secret_key'] ?? '',
        GUARDIAN_ACK_ECDSA_SECRET: ecdsaKey,
      });
      onTestFinished(() => system.stop());
      const { account_id: accountId, data } = fixture.account;
      const { signerCommitments } = inspectAccount(decodeBase64(data, 'invalid_input'));
      const client = new GuardianHttpClient(system.url);
      client.setSigner(
        createSigner('falcon', hexToBytes(fixture.keys['signer_1_secret_key'] ?? '')),
      );

      const configured = await client.configure({
        accountId,
        auth: { MidenFalconRpo: { cosigner_commitments: signerCommitments } },
        initialState: { data, accountId },
      });
      expect(configured.ackCommitment).toBe(fixture.keys['guardian_commitment']);
      const before = await client.getState(accountId);
      expect(before.commitment).toBe(fixture.commitments.initial_commitment);
      expect(before.stateJson.data).toBe(data);

      const pushed = await client.pushDelta({
        accountId,
        nonce: fixture.delta.nonce,
        prevCommitment: fixture.delta.prev_commitment,
        deltaPayload: fixture.delta.delta_payload,
        status: { status: 'candidate', timestamp: new Date().toISOString() },
      });
      expect(pushed.newCommitment).toBe(fixture.commitments.commitment_after_delta_1);
      await system.chain.land(accountId, fixture.commitments.commitment_after_delta_1);
      await expect
        .poll(async () => (await client.getDelta(accountId, fixture.delta.nonce)).status.status, {
          timeout: 10_000,
        })
        .toBe('canonical');
      const after = await client.getState(accountId);
      expect(after.commitment).toBe(fixture.commitments.commitment_after_delta_1);
    });
  },
);
