import { GuardianHttpClient } from '@openzeppelin/guardian-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeBase64, encodeBase64 } from '../guardian/accounts/wire.ts';
import { buildAccount } from '../guardian/networks/miden/account/build.ts';
import { inspectAccount } from '../guardian/networks/miden/account/engine.ts';
import { buildSummary } from '../guardian/networks/miden/summary/build.ts';
import { createSigner } from './wallet.ts';

export interface DemoResult {
  deltas: number;
  canonical: number;
  first_canonical_ms: number;
  total_ms: number;
}

/** Longest wait for one delta; the work itself takes milliseconds. */
const patienceMs = 20_000;

/**
 * The main job, driven by the published client: configure an account, push three deltas, land
 * each on the development chain, and wait until each is canonical.
 *
 * @param say one progress line.
 * @param started time the command began, from performance.now().
 * @throws Error when a step fails or a delta does not become canonical in time.
 */
export async function runDemo(
  url: string,
  chainUrl: string,
  say: (line: string) => void,
  started: number,
): Promise<DemoResult> {
  const client = new GuardianHttpClient(url);
  const signer = createSigner('ecdsa');
  client.setSigner(signer);
  const guardian = await client.getPubkey('ecdsa');
  let state = buildAccount({
    protocol: '0.16',
    signers: [signer.commitment],
    scheme: 'ecdsa',
    threshold: 1,
    guardian: guardian.commitment,
    salt: BigInt(Date.now()),
  });
  let { accountId, commitment } = inspectAccount(state);
  await client.configure({
    accountId,
    auth: { MidenEcdsa: { cosigner_commitments: [signer.commitment] } },
    initialState: { data: encodeBase64(state), accountId },
  });
  say(`account ${accountId} configured`);

  const deltas = 3;
  let first = 0;
  for (let nonce = 1; nonce <= deltas; nonce++) {
    const summary = buildSummary({ state, salt: BigInt(nonce) });
    const pushed = await client.pushDelta({
      accountId,
      nonce,
      prevCommitment: commitment,
      deltaPayload: { data: encodeBase64(summary) },
      status: { status: 'candidate', timestamp: new Date().toISOString() },
    });
    if (!pushed.newCommitment) throw new Error('the delta was not acknowledged');
    say(`delta ${nonce} acknowledged: ${short(commitment)} → ${short(pushed.newCommitment)}`);
    const landed = performance.now();
    await land(chainUrl, accountId, pushed.newCommitment);
    await untilCanonical(client, accountId, nonce);
    const now = performance.now();
    first ||= now - started;
    say(`delta ${nonce} canonical ${Math.round(now - landed)} ms after it landed`);
    const stored = await client.getState(accountId);
    state = decodeBase64(stored.stateJson.data, 'invalid_input');
    commitment = stored.commitment;
  }
  return {
    deltas,
    canonical: deltas,
    first_canonical_ms: Math.round(first),
    total_ms: Math.round(performance.now() - started),
  };
}

const short = (commitment: string) => `${commitment.slice(0, 10)}…`;

async function land(chainUrl: string, accountId: string, commitment: string): Promise<void> {
  const response = await fetch(`${chainUrl}/accounts/${accountId}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ commitment }),
  });
  if (!response.ok) throw new Error(`the development chain answered ${response.status}`);
}

async function untilCanonical(
  client: GuardianHttpClient,
  accountId: string,
  nonce: number,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const delta = await client.getDelta(accountId, nonce);
    if (delta.status.status === 'canonical') return;
    if (delta.status.status !== 'candidate' || performance.now() > deadline) {
      throw new Error(`delta ${nonce} is ${delta.status.status}, not canonical`);
    }
    // the protocol has no push channel: clients poll
    await sleep(25);
  }
}
