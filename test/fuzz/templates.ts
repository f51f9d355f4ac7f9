/** Requests that would be right, one of each kind, for accounts in different situations. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { encodeBase64 } from '../../src/guardian/accounts/wire.ts';
import type { JsonValue } from '../../src/guardian/authentication/canonical-json.ts';
import { lookupMessage } from '../../src/guardian/authentication/lookup-message.ts';
import { requestMessage } from '../../src/guardian/authentication/request-message.ts';
import {
  ecdsaCommitments,
  ecdsaPublicKey,
  generateEcdsaKey,
  signEcdsa,
} from '../../src/guardian/networks/miden/ecdsa.ts';
import { applyDelta } from '../../src/guardian/networks/miden/account/engine.ts';
import { buildSummary } from '../../src/guardian/networks/miden/summary/build.ts';
import { wordFromHex, wordToHex, type Word } from '../../src/guardian/networks/miden/word.ts';
import { createHolder, makeSigner, type Holder, type Signer } from '../http/signed.ts';

/** An account with its key. */
export interface Actor {
  name: string;
  holder: Holder;
  signer: Signer;
  /** Undefined for Falcon keys, whose cosignatures take too long for ten thousand cases. */
  signWord: ((word: Word) => string) | undefined;
}

export interface Template {
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  /** A body that is signed as a whole, … */
  body?: Record<string, JsonValue>;
  /** … or a query that is signed as an object, */
  query?: Record<string, JsonValue>;
  /** or a message of its own. */
  lookup?: string;
  /** Sent with the session of an EVM wallet, unsigned. */
  session?: true;
}

/** An account of its own for each situation; not configured yet. */
export function makeActor(name: string, guardian: string, scheme: 'ecdsa' | 'falcon'): Actor {
  if (scheme === 'falcon') {
    const signer = makeSigner('falcon');
    return { name, signer, holder: createHolder(guardian, scheme, signer), signWord: undefined };
  }
  const secret = generateEcdsaKey();
  const publicKey = ecdsaPublicKey(secret);
  const signWord = (word: Word) => bytesToHex(signEcdsa(secret, word));
  const signer: Signer = {
    commitment: wordToHex(ecdsaCommitments(publicKey)!.native),
    publicKey: `0x${bytesToHex(publicKey)}`,
    sign: (accountId, timestamp, payload) =>
      signWord(requestMessage(accountId, BigInt(timestamp), payload)),
  };
  return { name, signer, holder: createHolder(guardian, scheme, signer), signWord };
}

/** @param nonce of the delta or proposal that the request is about. */
export function midenTemplates(actor: Actor, nonce: number): Template[] {
  const key = `${actor.holder.accountId}:${nonce}`;
  const templates = made.get(key) ?? makeTemplates(actor, nonce);
  made.set(key, templates);
  return templates;
}

const made = new Map<string, Template[]>();

function makeTemplates({ holder, signer, signWord }: Actor, nonce: number): Template[] {
  const { accountId: account_id, state } = holder;
  const summary = buildSummary({ state, salt: BigInt(nonce) });
  const commitment = applyDelta({ accountId: account_id, state, summary }).summaryCommitment;
  const proposal = {
    account_id,
    nonce: BigInt(nonce),
    delta_payload: {
      tx_summary: { data: encodeBase64(summary) },
      signatures: [],
      metadata: { proposal_type: 'custom', description: 'd', amount: 1n },
    },
  };
  const signature = {
    scheme: signWord ? 'ecdsa' : 'falcon',
    signature: signWord?.(wordFromHex(commitment)) ?? 'ff'.repeat(1_524),
    ...(signWord ? { public_key: signer.publicKey } : {}),
  };
  const noncePart = { account_id, nonce: BigInt(nonce) };
  return [
    { method: 'POST', path: '/configure', body: holder.configureBody() },
    {
      method: 'POST',
      path: '/delta',
      body: holder.deltaBody(nonce, { metadata: { n: 2n ** 64n - 1n } }),
    },
    { method: 'POST', path: '/delta/proposal', body: proposal },
    { method: 'PUT', path: '/delta/proposal', body: { account_id, commitment, signature } },
    { method: 'POST', path: '/delta/candidate/abandon', body: noncePart },
    { method: 'GET', path: '/delta', query: noncePart },
    { method: 'GET', path: '/delta/since', query: noncePart },
    { method: 'GET', path: '/delta/history', query: { account_id, limit: '2' } },
    { method: 'GET', path: '/state', query: { account_id } },
    { method: 'GET', path: '/delta/proposal', query: { account_id } },
    { method: 'GET', path: '/delta/proposal/single', query: { account_id, commitment } },
    { method: 'GET', path: '/state/lookup', lookup: signer.commitment },
  ];
}

/** The signature over a look-up, which covers other things than a request's. */
export function signLookup(actor: Actor, timestamp: number | bigint): string {
  return actor.signWord?.(lookupMessage(BigInt(timestamp), actor.signer.commitment)) ?? '00';
}

/** What the requests of EVM accounts are about. */
export interface EvmSubject {
  /** The address whose session is used. */
  wallet: string;
  account: { chainId: number; address: string; validator: string; accountId: string };
  /** A proposal that is there, when its chain is. */
  proposalId: string;
  /** Of the wallet over the hash of a user operation that nobody has proposed yet. */
  signed: { hash: string; signature: string };
}

export function evmTemplates({ wallet, account, proposalId: id, signed }: EvmSubject): Template[] {
  const account_id = account.accountId;
  const session = true as const;
  return [
    { method: 'GET', path: '/evm/auth/challenge', query: { address: wallet } },
    {
      method: 'POST',
      path: '/evm/auth/verify',
      body: { address: wallet, nonce: signed.hash, signature: signed.signature },
    },
    {
      method: 'POST',
      path: '/evm/accounts',
      session,
      body: {
        chain_id: BigInt(account.chainId),
        account_address: account.address,
        multisig_validator_address: account.validator,
      },
    },
    {
      method: 'POST',
      path: '/evm/proposals',
      session,
      body: {
        account_id,
        user_op_hash: signed.hash,
        payload: '{}',
        nonce: '0',
        ttl_seconds: 60n,
        signature: signed.signature,
      },
    },
    { method: 'GET', path: '/evm/proposals', session, query: { account_id } },
    { method: 'GET', path: `/evm/proposals/${id}`, session, query: { account_id } },
    { method: 'GET', path: `/evm/proposals/${id}/executable`, session, query: { account_id } },
    {
      method: 'POST',
      path: `/evm/proposals/${id}/approve`,
      session,
      body: { account_id, signature: signed.signature },
    },
    { method: 'POST', path: `/evm/proposals/${id}/cancel`, session, body: { account_id } },
  ];
}
