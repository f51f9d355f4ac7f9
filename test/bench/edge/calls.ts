/** Every call of the published client, with what it needs to have happened before. */
import { encodeBase64 } from '../../../src/guardian/accounts/wire.ts';
import { buildSummary } from '../../../src/guardian/networks/miden/summary/build.ts';
import type { Wallet } from '../../support/wallet.ts';
import type { EdgeStage } from './stage.ts';

export interface EdgeCall {
  /** As a field's name. */
  name: string;
  endpoint: string;
  /** Round trips to the database that it may take: the account not remembered, remembered. */
  most: { cold: number; cached: number };
  /** Changes what it reads: measured on a fresh account each time. */
  writes?: true;
  /** The account is not configured before. */
  unconfigured?: true;
  arrange?(wallet: Wallet, stage: EdgeStage): Promise<string | void>;
  /** @param arranged what `arrange` gave. */
  act(wallet: Wallet, arranged: string): Promise<unknown>;
}

const signedRead = { cold: 1, cached: 1 };
const write = { cold: 2, cached: 1 };
const without = { cold: 0, cached: 0 };

const propose = (wallet: Wallet) =>
  wallet.client.pushDeltaProposal({
    accountId: wallet.accountId,
    nonce: 1,
    deltaPayload: {
      txSummary: { data: encodeBase64(buildSummary({ state: wallet.state, salt: 1n })) },
      signatures: [],
      metadata: { proposalType: 'change_threshold', description: '' },
    },
  });
const proposed = async (wallet: Wallet) => (await propose(wallet)).commitment;
const pushed = async (wallet: Wallet) => void (await wallet.push(1));

async function landed(wallet: Wallet, stage: EdgeStage): Promise<void> {
  const { newCommitment } = await wallet.push(1);
  await stage.chain.land(wallet.accountId, newCommitment ?? '');
  await wallet.settled(1);
}

export const edgeCalls: readonly EdgeCall[] = [
  {
    name: 'status',
    endpoint: 'GET /status',
    most: without,
    act: ({ client }) => client.getStatus(),
  },
  {
    name: 'pubkey',
    endpoint: 'GET /pubkey',
    most: without,
    act: ({ client }) => client.getPubkey(),
  },
  {
    name: 'configure',
    endpoint: 'POST /configure',
    most: write,
    writes: true,
    unconfigured: true,
    act: (wallet) => wallet.configure(),
  },
  {
    name: 'push_delta',
    endpoint: 'POST /delta',
    most: write,
    writes: true,
    act: (wallet) => wallet.push(1),
  },
  {
    name: 'create_proposal',
    endpoint: 'POST /delta/proposal',
    most: write,
    writes: true,
    act: propose,
  },
  {
    name: 'sign_proposal',
    endpoint: 'PUT /delta/proposal',
    most: write,
    writes: true,
    arrange: proposed,
    act: async ({ client, accountId, signer }, commitment) => {
      const signature = await signer.signCommitment(commitment);
      const { publicKey } = signer;
      return client.signDeltaProposal({
        accountId,
        commitment,
        signature: { scheme: 'ecdsa', signature, publicKey },
      });
    },
  },
  {
    name: 'abandon',
    endpoint: 'POST /delta/candidate/abandon',
    most: write,
    writes: true,
    arrange: pushed,
    act: ({ client, accountId }) => client.abandonCandidate(accountId, 1),
  },
  {
    name: 'get_state',
    endpoint: 'GET /state',
    most: signedRead,
    act: ({ client, accountId }) => client.getState(accountId),
  },
  {
    name: 'get_delta',
    endpoint: 'GET /delta',
    most: signedRead,
    arrange: pushed,
    act: ({ client, accountId }) => client.getDelta(accountId, 1),
  },
  {
    name: 'delta_since',
    endpoint: 'GET /delta/since',
    most: signedRead,
    arrange: landed,
    act: ({ client, accountId }) => client.getDeltaSince(accountId, 1),
  },
  {
    name: 'history',
    endpoint: 'GET /delta/history',
    most: signedRead,
    arrange: landed,
    act: ({ client, accountId }) => client.getDeltaHistory(accountId),
  },
  {
    name: 'list_proposals',
    endpoint: 'GET /delta/proposal',
    most: signedRead,
    arrange: proposed,
    act: ({ client, accountId }) => client.getDeltaProposals(accountId),
  },
  {
    name: 'single_proposal',
    endpoint: 'GET /delta/proposal/single',
    most: signedRead,
    arrange: proposed,
    act: ({ client, accountId }, commitment) => client.getDeltaProposal(accountId, commitment),
  },
  {
    name: 'lookup',
    endpoint: 'GET /state/lookup',
    most: { cold: 1, cached: 1 },
    act: ({ client, signer }) => client.lookupAccountByKeyCommitment(signer.commitment),
  },
];
