/** Proposals, abandon, history and look-up, by the published client, on Node and Deno. */
import type { DeltaProposalRequest, ProposalSignature } from '@openzeppelin/guardian-client';
import { GuardianHttpClient } from '@openzeppelin/guardian-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSigner } from '../../src/demo/wallet.ts';
import { encodeBase64 } from '../../src/guardian/accounts/wire.ts';
import { buildAccount } from '../../src/guardian/networks/miden/account/build.ts';
import { inspectAccount } from '../../src/guardian/networks/miden/account/engine.ts';
import { buildSummary } from '../../src/guardian/networks/miden/summary/build.ts';
import { startSystem, type Replicas, type Storage, type System } from '../support/system.ts';
import { openWallet } from '../support/wallet.ts';

/** Tests that run side by side cannot use expect.poll. */
async function untilCanonical(
  client: GuardianHttpClient,
  accountId: string,
  nonce: number,
): Promise<void> {
  while ((await client.getDelta(accountId, nonce)).status.status === 'candidate') await sleep(20);
  expect((await client.getDelta(accountId, nonce)).status.status).toBe('canonical');
}

const systems: [Replicas, Storage][] = [
  ['node', 'embedded'],
  ['node', 18],
  ['deno', 15],
  ['three replicas', 18],
];

describe.each(systems)('guardian-client 0.17.0 on %s with database %s', (replicas, storage) => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem(replicas, storage);
  });
  afterAll(() => system.stop());

  /** An account with three cosigners, each with a client of their own. */
  const openMultisig = async (scheme: 'falcon' | 'ecdsa') => {
    const signers = [createSigner(scheme), createSigner(scheme), createSigner(scheme)];
    const clients = signers.map((signer) => {
      const client = new GuardianHttpClient(system.url);
      client.setSigner(signer);
      return client;
    });
    const [client] = clients as [GuardianHttpClient];
    const commitments = signers.map(({ commitment }) => commitment);
    const { commitment: guardian } = await client.getPubkey(scheme);
    const state = buildAccount({
      protocol: '0.16',
      signers: commitments,
      scheme,
      threshold: 2,
      guardian,
      salt: BigInt(Math.floor(Math.random() * 1e15)),
    });
    const { accountId } = inspectAccount(state);
    const auth = { cosigner_commitments: commitments };
    await client.configure({
      accountId,
      auth: scheme === 'falcon' ? { MidenFalconRpo: auth } : { MidenEcdsa: auth },
      initialState: { data: encodeBase64(state), accountId },
    });
    const request = (nonce: number): DeltaProposalRequest => ({
      accountId,
      nonce,
      deltaPayload: {
        txSummary: { data: encodeBase64(buildSummary({ state, salt: BigInt(nonce) })) },
        signatures: [],
        metadata: { proposalType: ' change_threshold ', description: 'two of three' },
      },
    });
    const sign = async (index: number, commitment: string): Promise<ProposalSignature> => {
      const signature = await signers[index]!.signCommitment(commitment);
      return scheme === 'falcon'
        ? { scheme, signature }
        : { scheme, signature, publicKey: signers[index]!.publicKey };
    };
    return { signers, clients, accountId, request, sign };
  };

  it.concurrent.each(['falcon', 'ecdsa'] as const)(
    '%s: propose, sign together, push, done',
    async (scheme) => {
      const { signers, clients, accountId, request, sign } = await openMultisig(scheme);
      const [alice, bob, carol] = clients as [
        GuardianHttpClient,
        GuardianHttpClient,
        GuardianHttpClient,
      ];
      const { delta, commitment } = await alice.pushDeltaProposal(request(7));
      expect(delta.status).toMatchObject({
        status: 'pending',
        proposerId: signers[0]!.commitment,
        cosignerSigs: [],
      });
      expect(delta.deltaPayload.metadata?.proposalType).toBe('change_threshold');

      // all at once: no signature is lost
      await Promise.all(
        clients.map(async (client, index) =>
          client.signDeltaProposal({
            accountId,
            commitment,
            signature: await sign(index, commitment),
          }),
        ),
      );
      const signed = await bob.getDeltaProposal(accountId, commitment);
      if (signed.status.status !== 'pending') throw new Error('not pending');
      expect(signed.status.cosignerSigs.map(({ signerId }) => signerId).toSorted()).toEqual(
        signers.map((signer) => signer.commitment).toSorted(),
      );
      expect(signed.deltaPayload.signatures).toHaveLength(3);
      await expect(
        carol.signDeltaProposal({ accountId, commitment, signature: await sign(2, commitment) }),
      ).rejects.toMatchObject({ code: 'proposal_already_signed', status: 409 });
      // creating it again answers the stored one, signatures included
      const again = await bob.pushDeltaProposal(request(7));
      expect(again.delta.deltaPayload.signatures).toHaveLength(3);

      const pushed = await alice.pushDelta({
        accountId,
        nonce: 7,
        prevCommitment: delta.prevCommitment,
        deltaPayload: { data: request(7).deltaPayload.txSummary.data },
        status: { status: 'candidate', timestamp: new Date().toISOString() },
      });
      await expect(bob.pushDeltaProposal(request(8))).rejects.toMatchObject({
        code: 'conflict_pending_delta',
      });
      await system.chain.land(accountId, pushed.newCommitment ?? '');
      await untilCanonical(alice, accountId, 7);
      expect(await carol.getDeltaProposals(accountId)).toEqual([]);
      await expect(carol.getDeltaProposal(accountId, commitment)).rejects.toMatchObject({
        code: 'proposal_not_found',
      });
    },
  );

  it.concurrent('takes only signatures of cosigners over the proposal itself', async () => {
    const { clients, accountId, request, sign } = await openMultisig('ecdsa');
    const [alice] = clients as [GuardianHttpClient];
    const { commitment } = await alice.pushDeltaProposal(request(1));
    const foreign = await createSigner('ecdsa').signCommitment(commitment);
    const other = `0x${'01'.repeat(32)}`;
    for (const signature of [
      { scheme: 'ecdsa' as const, signature: foreign },
      await sign(1, other),
      { scheme: 'ecdsa' as const, signature: '0x00' },
      { scheme: 'falcon' as const, signature: '0x00' },
    ]) {
      await expect(
        alice.signDeltaProposal({ accountId, commitment, signature }),
      ).rejects.toMatchObject({ code: 'invalid_proposal_signature', status: 400 });
    }
    await expect(
      alice.signDeltaProposal({ accountId, commitment: other, signature: await sign(0, other) }),
    ).rejects.toMatchObject({ code: 'proposal_not_found' });
    await expect(
      alice.pushDeltaProposal({
        ...request(2),
        deltaPayload: {
          ...request(2).deltaPayload,
          signatures: [{ signerId: `0x${'0'.repeat(64)}`, signature: await sign(1, commitment) }],
        },
      }),
    ).rejects.toMatchObject({ code: 'invalid_proposal_signature' });
    const { txSummary, metadata } = request(3).deltaPayload;
    await expect(
      alice.pushDeltaProposal({
        ...request(3),
        deltaPayload: { txSummary, signatures: [], metadata: { ...metadata, proposalType: ' ' } },
      }),
    ).rejects.toMatchObject({ code: 'invalid_delta' });
  });

  it.concurrent('limits pending proposals', async () => {
    const { clients, request } = await openMultisig('ecdsa');
    const [alice] = clients as [GuardianHttpClient];
    for (let nonce = 1; nonce <= 20; nonce++) await alice.pushDeltaProposal(request(nonce));
    await expect(alice.pushDeltaProposal(request(21))).rejects.toMatchObject({
      code: 'pending_proposals_limit',
      status: 409,
    });
  });

  it.concurrent('abandons what will not land, and not what has landed', async () => {
    const wallet = await openWallet(system.url, 'ecdsa');
    await wallet.configure();
    const first = await wallet.push(1);
    await system.chain.land(wallet.accountId, first.newCommitment ?? '');
    await expect(wallet.client.abandonCandidate(wallet.accountId, 1)).rejects.toMatchObject({
      code: 'candidate_landed',
      status: 409,
    });
    expect(await wallet.settled(1)).toBe('canonical');
    await wallet.refresh();
    await wallet.push(2);
    const asked = await wallet.client.abandonCandidate(wallet.accountId, 2);
    expect(asked).toMatchObject({ nonce: 2, state: 'pending' });
    const again = await wallet.client.abandonCandidate(wallet.accountId, 2);
    expect(again.abandonRequestedAt).toBe(asked.abandonRequestedAt);
    expect(await wallet.client.abandonStatus(wallet.accountId, 2)).toBe('waiting');
    await expect(wallet.client.abandonCandidate(wallet.accountId, 9)).rejects.toMatchObject({
      code: 'delta_not_found',
    });
    expect(await wallet.settled(2)).toBe('discarded');
    expect(await wallet.client.abandonStatus(wallet.accountId, 2)).toBe('abandoned');
    await wallet.push(2);
  });

  it.concurrent('pages through history, merges since a nonce, finds accounts by key', async () => {
    const wallet = await openWallet(system.url, 'ecdsa');
    await wallet.configure();
    const commitments = [wallet.commitment];
    for (const nonce of [1, 2, 3]) {
      const pushed = await wallet.push(nonce);
      await system.chain.land(wallet.accountId, pushed.newCommitment ?? '');
      await wallet.settled(nonce);
      await wallet.refresh();
      commitments.push(wallet.commitment);
    }
    const page = await wallet.client.getDeltaHistory(wallet.accountId, { limit: 2 });
    expect(page.entries.map(({ nonce }) => nonce)).toEqual([3, 2]);
    const rest = await wallet.client.getDeltaHistory(wallet.accountId, {
      limit: 2,
      cursor: page.nextCursor ?? '',
    });
    expect(rest.entries.map(({ nonce }) => nonce)).toEqual([1]);
    expect(rest.nextCursor).toBeUndefined();
    await expect(
      wallet.client.getDeltaHistory(wallet.accountId, { cursor: `${page.nextCursor}x` }),
    ).rejects.toMatchObject({ code: 'invalid_cursor' });
    await expect(
      wallet.client.getDeltaHistory(wallet.accountId, { limit: 501 }),
    ).rejects.toMatchObject({ code: 'invalid_limit' });

    const merged = await wallet.client.getDeltaSince(wallet.accountId, 2);
    expect(merged).toMatchObject({
      nonce: 3,
      prevCommitment: commitments[1],
      newCommitment: commitments[3],
      status: { status: 'canonical' },
    });
    await expect(wallet.client.getDeltaSince(wallet.accountId, 4)).rejects.toMatchObject({
      code: 'delta_not_found',
    });

    const found = await wallet.client.lookupAccountByKeyCommitment(wallet.signer.commitment);
    expect(found.accounts).toEqual([{ accountId: wallet.accountId }]);
    const stranger = createSigner('falcon');
    const client = new GuardianHttpClient(system.url);
    client.setSigner(stranger);
    expect(await client.lookupAccountByKeyCommitment(stranger.commitment)).toEqual({
      accounts: [],
    });
    await expect(
      client.lookupAccountByKeyCommitment(wallet.signer.commitment),
    ).rejects.toMatchObject({ code: 'authentication_failed' });
  });
});
