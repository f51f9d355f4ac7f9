/**
 * Signed requests as plain values, for tests that need a say in every header and byte, which the
 * published client does not give.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { encodeBase64 } from '../../src/guardian/accounts/wire.ts';
import {
  canonicalJson,
  parseJson,
  type JsonValue,
} from '../../src/guardian/authentication/canonical-json.ts';
import { requestMessage } from '../../src/guardian/authentication/request-message.ts';
import { buildAccount } from '../../src/guardian/networks/miden/account/build.ts';
import { inspectAccount } from '../../src/guardian/networks/miden/account/engine.ts';
import {
  ecdsaCommitments,
  ecdsaPublicKey,
  generateEcdsaKey,
  signEcdsa,
} from '../../src/guardian/networks/miden/ecdsa.ts';
import { encodePublicKey } from '../../src/guardian/networks/miden/falcon/codec.ts';
import {
  decodeSecretKey,
  generateSecretKey,
} from '../../src/guardian/networks/miden/falcon/secret-key.ts';
import { sign as signFalcon } from '../../src/guardian/networks/miden/falcon/sign.ts';
import { publicKeyCommitment } from '../../src/guardian/networks/miden/falcon/verify.ts';
import { wordToHex } from '../../src/guardian/networks/miden/word.ts';
import { buildSummary } from '../../src/guardian/networks/miden/summary/build.ts';
import type { SignatureScheme } from '../../src/guardian/networks/network.ts';

/** Sends to the service under test, wherever it runs. */
export type Send = (path: string, init?: RequestInit) => Promise<Response>;

export interface Prepared {
  path: string;
  init: RequestInit & { headers: Record<string, string> };
}

/** One key with one account; makes requests, sends none. */
export interface Holder {
  accountId: string;
  state: Uint8Array;
  commitment: string;
  /** Signs `body`; `text` stands in for it, `accountId` for the holder's own account. */
  post(
    path: string,
    body: JsonValue,
    options?: { timestamp?: number; text?: string; accountId?: string },
  ): Prepared;
  get(
    path: string,
    query?: Record<string, bigint>,
    options?: { timestamp?: number; accountId?: string },
  ): Prepared;
  /** The body that configures the account. */
  configureBody(): Record<string, JsonValue>;
  /** The body of a delta that applies to the account. */
  deltaBody(nonce: number, payload?: Record<string, JsonValue>): Record<string, JsonValue>;
}

let lastTimestamp = 0;

/** The clock, but never the same twice: what the published client does too. */
export function nextTimestamp(): number {
  lastTimestamp = Math.max(Date.now(), lastTimestamp + 1);
  return lastTimestamp;
}

/** A key that signs requests. */
export interface Signer {
  commitment: string;
  publicKey: string;
  /** @param payload canonical JSON. */
  sign(accountId: string, timestamp: number | bigint, payload: string): string;
}

/** A fresh key. */
export function makeSigner(scheme: SignatureScheme): Signer {
  const secret = scheme === 'falcon' ? generateSecretKey() : generateEcdsaKey();
  if (scheme === 'falcon') {
    const key = decodeSecretKey(secret);
    return {
      commitment: wordToHex(publicKeyCommitment(key.publicKey)),
      publicKey: `0x${bytesToHex(encodePublicKey(key.publicKey))}`,
      sign: (accountId, timestamp, payload) =>
        bytesToHex(signFalcon(key, requestMessage(accountId, BigInt(timestamp), payload))),
    };
  }
  const publicKey = ecdsaPublicKey(secret);
  return {
    commitment: wordToHex(ecdsaCommitments(publicKey)!.native),
    publicKey: `0x${bytesToHex(publicKey)}`,
    sign: (accountId, timestamp, payload) =>
      bytesToHex(signEcdsa(secret, requestMessage(accountId, BigInt(timestamp), payload))),
  };
}

const signers = new Map<SignatureScheme, Signer>();

/** The same key for every account of a scheme: making a Falcon key takes long, an account not. */
function signerOf(scheme: SignatureScheme): Signer {
  const signer = signers.get(scheme) ?? makeSigner(scheme);
  signers.set(scheme, signer);
  return signer;
}

let salt = BigInt(Date.now()) * 1_000_000n + BigInt(Math.floor(Math.random() * 1e6));

/**
 * An account that is bound to the service's key.
 * @param guardian the commitment that GET /pubkey tells.
 */
export function createHolder(
  guardian: string,
  scheme: SignatureScheme = 'ecdsa',
  signer = signerOf(scheme),
): Holder {
  salt += 1n;
  const state = buildAccount({
    protocol: '0.16',
    signers: [signer.commitment],
    scheme,
    threshold: 1,
    guardian,
    salt: salt % 2n ** 62n,
  });
  const { accountId, commitment } = inspectAccount(state);
  const headers = (payload: string, timestamp: number, signedFor = accountId) => ({
    'content-type': 'application/json',
    'x-pubkey': signer.publicKey,
    'x-signature': signer.sign(signedFor, timestamp, payload),
    'x-timestamp': String(timestamp),
  });
  return {
    accountId,
    state,
    commitment,
    post(path, body, options = {}) {
      const { timestamp = nextTimestamp(), text = canonicalJson(body) } = options;
      const signed = headers(canonicalJson(parseJson(text)), timestamp, options.accountId);
      return { path, init: { method: 'POST', body: text, headers: signed } };
    },
    get(path, query = {}, { timestamp = nextTimestamp(), accountId: asked = accountId } = {}) {
      const members = { account_id: asked, ...query };
      const search = new URLSearchParams(
        Object.entries(members).map(([name, value]) => [name, String(value)]),
      );
      const init = { headers: headers(canonicalJson(members), timestamp, asked) };
      return { path: `${path}?${search.toString()}`, init };
    },
    configureBody: () => ({
      account_id: accountId,
      auth: {
        [scheme === 'falcon' ? 'MidenFalconRpo' : 'MidenEcdsa']: {
          cosigner_commitments: [signer.commitment],
        },
      },
      initial_state: { data: encodeBase64(state), account_id: accountId },
    }),
    deltaBody: (nonce, payload = {}) => ({
      account_id: accountId,
      nonce: BigInt(nonce),
      prev_commitment: commitment,
      delta_payload: {
        data: encodeBase64(buildSummary({ state, salt: BigInt(nonce) })),
        ...payload,
      },
    }),
  };
}

/** Makes an account and configures it. */
export async function openHolder(
  send: Send,
  scheme: SignatureScheme = 'ecdsa',
  signer?: Signer,
): Promise<Holder> {
  const answer = await send(`/pubkey?scheme=${scheme}`);
  const { commitment } = (await answer.json()) as { commitment: string };
  const holder = createHolder(commitment, scheme, signer);
  const { path, init } = holder.post('/configure', holder.configureBody());
  const configured = await send(path, init);
  if (configured.status !== 200) {
    throw new Error(`configure answered ${configured.status}: ${await configured.text()}`);
  }
  return holder;
}
