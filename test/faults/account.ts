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

/**
 * @param guardian key commitment of the service.
 * @param clients how many signers the account has; each may send at the same time as the others.
 */
export function createLabAccount(random: Random, guardian: string, clients: number): LabAccount {
  const keys = Array.from({ length: clients }, () => {
    const secret = sha256(Uint8Array.from({ length: 32 }, () => random.between(0, 255)));
    const publicKey = ecdsaPublicKey(secret);
    return { secret, publicKey, commitment: wordToHex(ecdsaCommitments(publicKey)!.native) };
  });
  const signers = keys.map(({ commitment }) => commitment);
  let state = buildAccount({
    protocol: '0.16',
    signers,
    scheme: 'ecdsa',
    threshold: 1,
    guardian,
    salt: BigInt(random.between(1, 2 ** 40)),
  });
  const { accountId, commitment } = inspectAccount(state);
  const cache = new AccountCache();
  const timestamps = keys.map(() => 0);
  let [nonce, prev] = [0, commitment];

  const headers = (client: number, payload: string) => {
    const key = keys[client]!;
    const timestamp = (timestamps[client] = Math.max(Date.now(), timestamps[client]! + 1));
    const signature = signEcdsa(key.secret, requestMessage(accountId, BigInt(timestamp), payload));
    return {
      'content-type': 'application/json',
      'x-pubkey': `0x${bytesToHex(key.publicKey)}`,
      'x-signature': bytesToHex(signature),
      'x-timestamp': String(timestamp),
    };
  };
  const post = (url: string, body: JsonValue, client: number) => {
    const text = canonicalJson(body);
    return ask(url, { method: 'POST', body: text, headers: headers(client, text) });
  };
  return {
    accountId,
    commitment,
    clients,
    configure: (url) =>
      post(
        `${url}/configure`,
        {
          account_id: accountId,
          auth: { MidenEcdsa: { cosigner_commitments: signers } },
          initial_state: { data: encodeBase64(state), account_id: accountId },
        },
        0,
      ),
    plan() {
      nonce += 1;
      const summary = buildSummary({ state, salt: BigInt(nonce) });
      const applied = applyDelta({ accountId, state, summary }, cache);
      const delta: PlannedDelta = {
        nonce,
        prev,
        next: applied.account.commitment,
        body: {
          account_id: accountId,
          nonce: BigInt(nonce),
          prev_commitment: prev,
          delta_payload: { data: encodeBase64(summary) },
        },
      };
      state = applied.state;
      prev = delta.next;
      return delta;
    },
    submit: (url, delta, client) => post(`${url}/delta`, delta.body, client),
    read(url, wanted, client) {
      const payload = canonicalJson({ account_id: accountId, nonce: BigInt(wanted) });
      const query = new URLSearchParams({ account_id: accountId, nonce: String(wanted) });
      return ask(`${url}/delta?${query.toString()}`, { headers: headers(client, payload) });
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
