import { GuardianHttpClient, type Signer } from '@openzeppelin/guardian-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSigner } from '../../src/demo/wallet.ts';
import { decodeBase64, encodeBase64 } from '../../src/guardian/accounts/wire.ts';
import { buildAccount } from '../../src/guardian/networks/miden/account/build.ts';
import { inspectAccount } from '../../src/guardian/networks/miden/account/engine.ts';
import { buildSummary } from '../../src/guardian/networks/miden/summary/build.ts';
import type { SignatureScheme } from '../../src/guardian/networks/network.ts';

/** A wallet with one account, driving the published client as an application would. */
export interface Wallet {
  client: GuardianHttpClient;
  signer: Signer;
  accountId: string;
  /** Serialized account as the wallet knows it. */
  state: Uint8Array;
  commitment: string;
  configure(): Promise<unknown>;
  /** Pushes a delta on the state the wallet knows. */
  push(nonce: number): ReturnType<GuardianHttpClient['pushDelta']>;
  /** Polls until the delta has left `candidate`; returns its status. */
  settled(nonce: number): Promise<string>;
  /** Takes over what the server holds. */
  refresh(): Promise<void>;
  /** Talks to another address of the same service from now on. */
  retarget(url: string): void;
}

let salt = BigInt(Date.now());

/** Makes a key and an account that is bound to the server's key; nothing is sent but `/pubkey`. */
export async function openWallet(
  url: string,
  scheme: SignatureScheme,
  protocol: '0.15' | '0.16' = '0.16',
): Promise<Wallet> {
  let client = new GuardianHttpClient(url);
  const signer = createSigner(scheme);
  client.setSigner(signer);
  const { commitment: guardian } = await client.getPubkey(scheme);
  salt += 1n;
  const signers = [signer.commitment];
  const state = buildAccount({ protocol, signers, scheme, threshold: 1, guardian, salt });
  const { accountId, commitment } = inspectAccount(state);
  const auth = { cosigner_commitments: signers };
  const wallet: Wallet = {
    client,
    signer,
    accountId,
    state,
    commitment,
    configure: () =>
      client.configure({
        accountId,
        auth: scheme === 'falcon' ? { MidenFalconRpo: auth } : { MidenEcdsa: auth },
        initialState: { data: encodeBase64(wallet.state), accountId },
      }),
    push: (nonce) =>
      client.pushDelta({
        accountId,
        nonce,
        prevCommitment: wallet.commitment,
        deltaPayload: {
          data: encodeBase64(buildSummary({ state: wallet.state, salt: BigInt(nonce) })),
        },
        status: { status: 'candidate', timestamp: new Date().toISOString() },
      }),
    async settled(nonce) {
      for (;;) {
        const { status } = await client.getDelta(accountId, nonce);
        if (status.status !== 'candidate') return status.status;
        await sleep(20);
      }
    },
    async refresh() {
      const stored = await client.getState(accountId);
      wallet.state = decodeBase64(stored.stateJson.data, 'invalid_input');
      wallet.commitment = stored.commitment;
    },
    retarget(other) {
      client = new GuardianHttpClient(other);
      client.setSigner(signer);
      wallet.client = client;
    },
  };
  return wallet;
}
