/** An account of the lab and its signed requests: lean, with deadlines, and nothing but the seed. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { encodeBase64 } from '../../src/guardian/accounts/wire.ts';
import { canonicalJson, type JsonValue } from '../../src/guardian/authentication/canonical-json.ts';
import { requestMessage } from '../../src/guardian/authentication/request-message.ts';
import { buildAccount } from '../../src/guardian/networks/miden/account/build.ts';
import {
  AccountCache,
  applyDelta,
  inspectAccount,
} from '../../src/guardian/networks/miden/account/engine.ts';
import {
  ecdsaCommitments,
  ecdsaPublicKey,
  signEcdsa,
} from '../../src/guardian/networks/miden/ecdsa.ts';
import { buildSummary } from '../../src/guardian/networks/miden/summary/build.ts';
import { wordToHex } from '../../src/guardian/networks/miden/word.ts';
import type { Random } from './random.ts';

/** Longer than any answer of a service that is well. */
const requestTimeoutMs = 2_500;

/** A delta that the account will send; its result is known before the service says so. */
export interface PlannedDelta {
  nonce: number;
  prev: string;
  next: string;
  body: Record<string, JsonValue>;
}

/** The service's answer; status 0 when there was none. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

export interface LabAccount {
  accountId: string;
  commitment: string;
  clients: number;
  configure(url: string): Promise<Answer>;
  /** The next delta, on the result of the last planned one. */
  plan(): PlannedDelta;
  submit(url: string, delta: PlannedDelta, client: number): Promise<Answer>;
  read(url: string, nonce: number, client: number): Promise<Answer>;
}

interface Key {
  commitment: string;
  /** Signed headers of a request. @param payload canonical JSON of its body or query. */
  headers(accountId: string, payload: string): Record<string, string>;
}

function createKey(random: Random): Key {
  const secret = sha256(Uint8Array.from({ length: 32 }, () => random.between(0, 255)));
  const publicKey = ecdsaPublicKey(secret);
  let timestamp = 0;
  return {
    commitment: wordToHex(ecdsaCommitments(publicKey)!.native),
    headers(accountId, payload) {
      timestamp = Math.max(Date.now(), timestamp + 1);
      const message = requestMessage(accountId, BigInt(timestamp), payload);
      return {
        'content-type': 'application/json',
        'x-pubkey': `0x${bytesToHex(publicKey)}`,
        'x-signature': bytesToHex(signEcdsa(secret, message)),
        'x-timestamp': String(timestamp),
      };
    },
  };
}

/**
 * @param guardian key commitment of the service.
 * @param clients how many signers the account has; each may send at the same time as the others.
 */
export function createLabAccount(random: Random, guardian: string, clients: number): LabAccount {
  const keys = Array.from({ length: clients }, (_, i) => createKey(random.fork(`key ${i}`)));
  const signers = keys.map(({ commitment }) => commitment);
  const salt = BigInt(random.between(1, 2 ** 40));
  let state = buildAccount({
    protocol: '0.16',
    signers,
    scheme: 'ecdsa',
    threshold: 1,
    guardian,
    salt,
  });
  const { accountId, commitment } = inspectAccount(state);
  const cache = new AccountCache();
  let [nonce, prev] = [0, commitment];
  const post = (url: string, body: JsonValue, client: number) => {
    const text = canonicalJson(body);
    return ask(url, {
      method: 'POST',
      body: text,
      headers: keys[client]!.headers(accountId, text),
    });
  };
  return {
    accountId,
    commitment,
    clients,
    configure(url) {
      const auth = { MidenEcdsa: { cosigner_commitments: signers } };
      const initial = { data: encodeBase64(state), account_id: accountId };
      const body = { account_id: accountId, auth, initial_state: initial };
      return post(`${url}/configure`, body, 0);
    },
    plan() {
      nonce += 1;
      const summary = buildSummary({ state, salt: BigInt(nonce) });
      const applied = applyDelta({ accountId, state, summary }, cache);
      const body = {
        account_id: accountId,
        nonce: BigInt(nonce),
        prev_commitment: prev,
        delta_payload: { data: encodeBase64(summary) },
      };
      const delta: PlannedDelta = { nonce, prev, next: applied.account.commitment, body };
      state = applied.state;
      prev = delta.next;
      return delta;
    },
    submit: (url, delta, client) => post(`${url}/delta`, delta.body, client),
    read(url, wanted, client) {
      const payload = canonicalJson({ account_id: accountId, nonce: BigInt(wanted) });
      const query = new URLSearchParams({ account_id: accountId, nonce: String(wanted) });
      const headers = keys[client]!.headers(accountId, payload);
      return ask(`${url}/delta?${query.toString()}`, { headers });
    },
  };
}

async function ask(url: string, init: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(requestTimeoutMs) });
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, body };
  } catch {
    return { status: 0, body: {} };
  }
}
