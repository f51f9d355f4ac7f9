import { hexToBytes } from '@noble/hashes/utils.js';
import { falcon512 } from '@noble/post-quantum/falcon.js';
import { afterEach, expect, test } from 'vitest';

import { ackIdentity } from '../../../../../src/guardian/acknowledgement/ack-identity.ts';
import { requestMessage } from '../../../../../src/guardian/authentication/request-message.ts';
import { AuthenticationError } from '../../../../../src/guardian/authentication/signature.ts';
import type { RequestClaim } from '../../../../../src/guardian/authentication/verify-request.ts';
import type { Compute } from '../../../../../src/guardian/networks/miden/compute/compute.ts';
import {
  ComputeFailedError,
  ComputeOverloadError,
} from '../../../../../src/guardian/networks/miden/compute/errors.ts';
import {
  type ComputePoolOptions,
  startComputePool,
} from '../../../../../src/guardian/networks/miden/compute/pool.ts';
import { wordToHex } from '../../../../../src/guardian/networks/miden/word.ts';
import { UnverifiableError } from '../../../../../src/guardian/networks/network.ts';

const ACCOUNT = '0x25ae6647d3c87001607b46e56f1260';
const KEYS = {
  falcon: falcon512.keygen(new Uint8Array(48).fill(9)).secretKey,
  ecdsa: hexToBytes('02'.padStart(64, '0')),
};
const FAULTY = new URL('./faulty-thread.ts', import.meta.url);
const BROKEN = new URL('./broken-thread.ts', import.meta.url);

const pools: Compute[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map(async (pool) => pool.close()));
});

async function start(options: Partial<ComputePoolOptions> = {}): Promise<Compute> {
  const pool = await startComputePool({ keys: KEYS, threads: 1, ...options });
  pools.push(pool);
  return pool;
}

async function signedRequest(compute: Compute, scheme: 'falcon' | 'ecdsa'): Promise<RequestClaim> {
  const payload = `{"account_id":"${ACCOUNT}"}`;
  const signer = ackIdentity(KEYS);
  return {
    scheme,
    payload,
    accountId: ACCOUNT,
    timestamp: 5n,
    publicKey: signer.publicKey(scheme),
    signature: await compute.run('acknowledge', {
      scheme,
      summaryCommitment: wordToHex(requestMessage(ACCOUNT, 5n, payload)),
    }),
    authorized: [signer.commitment(scheme)],
  };
}

test.each(['falcon', 'ecdsa'] as const)('%s requests: same answers as inline', async (scheme) => {
  const inline = await start({ threads: 0 });
  const request = await signedRequest(inline, scheme);
  const forged = { ...request, timestamp: 6n };
  for (const compute of [inline, await start()]) {
    expect(await compute.run('verifyRequest', request)).toBe(request.authorized[0]);
    await expect(compute.run('verifyRequest', forged)).rejects.toThrow(AuthenticationError);
    expect(await signedRequest(compute, scheme)).toEqual(request);
  }
});

test('errors keep their class and text; bytes of the caller stay its own', async () => {
  const pool = await start();
  const buffer = new Uint8Array(1_000_000).fill(7);
  const state = buffer.subarray(10, 40);
  const inspection = pool.run('inspectAccount', { state, origin: 'derived' });
  await expect(inspection).rejects.toThrow(UnverifiableError);
  expect(state).toEqual(new Uint8Array(30).fill(7));
  const summary = new Uint8Array(3);
  const input = { accountId: ACCOUNT, state, summary };
  await expect(pool.run('applyDelta', input)).rejects.toThrow(UnverifiableError);
  await expect(pool.run('applyAndAcknowledge', { ...input, scheme: 'falcon' })).rejects.toThrow(
    UnverifiableError,
  );
});

test('a fault of ours is told apart from a refusal, and the thread goes on', async () => {
  const pool = await start();
  const request = await signedRequest(pool, 'ecdsa');
  const mistake = { ...request, authorized: null as unknown as string[] };
  await expect(pool.run('verifyRequest', mistake)).rejects.toThrow(ComputeFailedError);
  expect(await pool.run('verifyRequest', request)).toBe(request.authorized[0]);
});

/** A request for the faulty thread: a fault, or milliseconds to take. */
function faulty(accountId: string): RequestClaim {
  return {
    accountId,
    scheme: 'ecdsa',
    payload: '',
    publicKey: '',
    signature: '',
    timestamp: 0n,
    authorized: [],
  };
}

test.each([
  ['exit', /exited with code 3/],
  ['throw', /a fault outside of any operation/],
])('a thread that dies by %s takes its operation along and is replaced', async (fault, reason) => {
  const pool = await start({ entry: FAULTY });
  const [lost, next] = [
    pool.run('verifyRequest', faulty(fault)),
    pool.run('verifyRequest', faulty('1')),
  ];
  await expect(lost).rejects.toThrow(ComputeFailedError);
  await expect(lost).rejects.toThrow(reason);
  expect(await next).toMatch(/^1 on/);
});

test('an operation beyond the deadline is stopped, with its thread, and no other', async () => {
  const pool = await start({ entry: FAULTY, operationMs: 400 });
  const before = await pool.run('verifyRequest', faulty('1'));
  const started = performance.now();
  await expect(pool.run('verifyRequest', faulty('loop'))).rejects.toThrow('within 400 ms');
  expect(performance.now() - started).toBeLessThan(2_000);
  const after = await pool.run('verifyRequest', faulty('1'));
  expect(after).toMatch(/^1 on/);
  expect(after).not.toBe(before);
});

test('a real operation is stopped too', async () => {
  const pool = await start({ operationMs: 30 });
  const request = await signedRequest(await start({ threads: 0 }), 'ecdsa');
  const endless = { ...request, payload: 'x'.repeat(3_000_000) };
  await expect(pool.run('verifyRequest', endless)).rejects.toThrow(ComputeFailedError);
});

test('a full queue refuses at once and takes work again later', async () => {
  const pool = await start({ entry: FAULTY, queuedOperations: 3 });
  const accepted = Array.from({ length: 4 }, async () => pool.run('verifyRequest', faulty('20')));
  const refused = pool.run('verifyRequest', faulty('20'));
  await expect(refused).rejects.toThrow(ComputeOverloadError);
  expect(await Promise.all(accepted)).toHaveLength(4);
  expect(await pool.run('verifyRequest', faulty('1'))).toMatch(/^1 on/);
});

test('what waits longer than the deadline was never started', async () => {
  const pool = await start({ entry: FAULTY, operationMs: 150 });
  const slow = [1, 2, 3].map(async () => pool.run('verifyRequest', faulty('100')));
  const outcomes = await Promise.allSettled(slow);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  await expect(slow[2]).rejects.toThrow(ComputeOverloadError);
});

test('deltas of one account stay on one thread, other work spreads', async () => {
  const pool = await start({ entry: FAULTY, threads: 2 });
  const bytes = new Uint8Array(1);
  const delta = { accountId: '5', state: bytes, summary: bytes };
  const deltas = await Promise.all(
    Array.from({ length: 6 }, async () => pool.run('applyDelta', delta)),
  );
  expect(new Set(deltas).size).toBe(1);
  const requests = await Promise.all(
    Array.from({ length: 6 }, async () => pool.run('verifyRequest', faulty('5'))),
  );
  expect(new Set(requests).size).toBe(2);
});

test('closing finishes what was taken and refuses the rest', async () => {
  const pool = await start({ entry: FAULTY });
  const taken = [pool.run('verifyRequest', faulty('30')), pool.run('verifyRequest', faulty('10'))];
  const closed = pool.close();
  await expect(pool.run('verifyRequest', faulty('1'))).rejects.toThrow(ComputeFailedError);
  await closed;
  expect(await Promise.all(taken)).toHaveLength(2);
  await pool.close();
});

test('a pool whose threads cannot start says so', async () => {
  await expect(startComputePool({ keys: KEYS, threads: 2, entry: BROKEN })).rejects.toThrow(
    'no such key',
  );
  const bad = { ...KEYS, ecdsa: new Uint8Array(32) };
  await expect(startComputePool({ keys: bad, threads: 1 })).rejects.toThrow(ComputeFailedError);
});

test('the event loop stays free while 100 requests are verified', async () => {
  const pool = await start();
  const request = await signedRequest(pool, 'falcon');
  // The machine may be busy with other tests: the best of five is what the code does.
  const gaps: number[] = [];
  for (let attempt = 0; attempt < 5; attempt += 1) gaps.push(await longestGap(pool, request));
  expect(Math.min(...gaps)).toBeLessThan(20);
});

async function longestGap(pool: Compute, request: RequestClaim): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const ticker = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  await Promise.all(Array.from({ length: 100 }, async () => pool.run('verifyRequest', request)));
  clearInterval(ticker);
  return longest;
}
