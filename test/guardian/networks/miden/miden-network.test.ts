import { hexToBytes } from '@noble/hashes/utils.js';
import { falcon512 } from '@noble/post-quantum/falcon.js';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type DevChain, startDevChain } from '../../../../src/dev-chain/start.ts';
import {
  type AckIdentity,
  ackIdentity,
} from '../../../../src/guardian/acknowledgement/ack-identity.ts';
import { verifySignedMessage } from '../../../../src/guardian/authentication/signature.ts';
import { buildAccount } from '../../../../src/guardian/networks/miden/account/build.ts';
import type { Compute } from '../../../../src/guardian/networks/miden/compute/compute.ts';
import { startComputePool } from '../../../../src/guardian/networks/miden/compute/pool.ts';
import { MidenNetwork } from '../../../../src/guardian/networks/miden/miden-network.ts';
import { MidenNode } from '../../../../src/guardian/networks/miden/rpc/node.ts';
import { buildSummary } from '../../../../src/guardian/networks/miden/summary/build.ts';
import { wordFromHex } from '../../../../src/guardian/networks/miden/word.ts';
import { ChainError, UnverifiableError } from '../../../../src/guardian/networks/network.ts';
import { commitmentOf, planOf, PROTOCOLS } from './account/plans.ts';

const KEYS = {
  falcon: falcon512.keygen(new Uint8Array(48).fill(4)).secretKey,
  ecdsa: hexToBytes('03'.padStart(64, '0')),
};

let compute: Compute;
let chain: DevChain;
let network: MidenNetwork;
let signer: AckIdentity;

beforeAll(async () => {
  compute = await startComputePool({ keys: KEYS, threads: 1 });
  chain = await startDevChain({ port: 0, host: '127.0.0.1' });
  const node = new MidenNode({ endpoint: chain.url, timeoutMs: 2_000, maxAttempts: 1 });
  network = new MidenNetwork(compute, node, 'derived');
  signer = ackIdentity(KEYS);
});

afterAll(async () => {
  await Promise.all([compute.close(), chain.close()]);
});

const CASES = PROTOCOLS.flatMap((protocol) =>
  (['falcon', 'ecdsa'] as const).map((scheme) => ({ protocol, scheme })),
);

test.each(CASES)('$protocol $scheme: from state to acknowledged delta to chain', async (of) => {
  const { protocol, scheme } = of;
  const guardian = signer.commitment(scheme, protocol);
  const state = buildAccount(planOf(protocol, { scheme, guardian }));
  const account = await network.inspectAccount(state);
  expect(account.guardianCommitment).toBe(guardian);
  expect(account.protocol).toBe(protocol);

  const { accountId } = account;
  const summary = buildSummary({ state, addSigner: commitmentOf(3), salt: 1n });
  const applied = await network.applyDelta({ accountId, state, summary });
  expect(applied.account.signerCommitments).toHaveLength(3);
  expect(await network.inspectAccount(applied.state)).toEqual(applied.account);

  const acknowledged = await compute.run('applyAndAcknowledge', {
    accountId,
    state,
    summary,
    scheme,
  });
  const { acknowledgement, ...rest } = acknowledged;
  expect(rest).toEqual(applied);
  expect(acknowledgement).toBe(
    await compute.run('acknowledge', { scheme, summaryCommitment: applied.summaryCommitment }),
  );
  const claim = {
    scheme,
    message: () => wordFromHex(applied.summaryCommitment),
    signature: hexToBytes(acknowledgement),
    authorized: [guardian],
  };
  expect(verifySignedMessage(claim)).toBe(guardian);

  expect(await network.commitmentOnChain(accountId)).toBeNull();
  await chain.land(accountId, applied.account.commitment);
  expect(await network.commitmentOnChain(accountId)).toBe(applied.account.commitment);
});

test('what cannot be verified is refused, whichever thread looked', async () => {
  const state = buildAccount(planOf('0.16'));
  const { accountId } = await network.inspectAccount(state);
  await expect(network.inspectAccount(state.subarray(1))).rejects.toThrow(UnverifiableError);
  const summary = new Uint8Array(64);
  await expect(network.applyDelta({ accountId, state, summary })).rejects.toThrow(
    UnverifiableError,
  );
});

test('a silent chain is a ChainError', async () => {
  const node = new MidenNode({ endpoint: 'http://127.0.0.1:9', timeoutMs: 500, maxAttempts: 1 });
  const { accountId } = await network.inspectAccount(buildAccount(planOf('0.16')));
  await expect(
    new MidenNetwork(compute, node, 'derived').commitmentOnChain(accountId),
  ).rejects.toThrow(ChainError);
});
