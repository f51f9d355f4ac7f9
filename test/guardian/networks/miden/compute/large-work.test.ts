/** A large account holds up nobody else, on real threads. */
import { hexToBytes } from '@noble/hashes/utils.js';
import { falcon512 } from '@noble/post-quantum/falcon.js';
import { expect, test, vi } from 'vitest';
import { computeLimits } from '../../../../../src/limits.ts';
import { buildAccount } from '../../../../../src/guardian/networks/miden/account/build.ts';
import type { Compute } from '../../../../../src/guardian/networks/miden/compute/compute.ts';
import { separateLargeWork } from '../../../../../src/guardian/networks/miden/compute/large-work.ts';
import { startComputePool } from '../../../../../src/guardian/networks/miden/compute/pool.ts';

const keys = {
  falcon: falcon512.keygen(new Uint8Array(48).fill(9)).secretKey,
  ecdsa: hexToBytes('02'.padStart(64, '0')),
};
const key = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
const accountOf = (signers: number) =>
  buildAccount({
    protocol: '0.16',
    signers: Array.from({ length: signers }, (_, n) => key(n + 1)),
    scheme: 'ecdsa',
    threshold: 1,
    guardian: key(7),
    salt: 1n,
  });

async function openPools() {
  const open = vi.fn(async () => startComputePool({ keys, threads: 1 }));
  const compute = separateLargeWork(await startComputePool({ keys, threads: 1 }), open);
  return { compute, open };
}

test('small work overtakes a large account', { timeout: 30_000 }, async () => {
  const { compute, open } = await openPools();
  const [large, small] = [accountOf(1_200), accountOf(2)];
  expect(large.byteLength).toBeGreaterThan(computeLimits.largeBytes);
  const ended: string[] = [];
  const inspect = async (what: string, state: Uint8Array) => {
    const { signerCommitments } = await compute.run('inspectAccount', { state, origin: 'any' });
    ended.push(what);
    return signerCommitments.length;
  };
  const first = inspect('large', large);
  const others = Array.from({ length: 5 }, async () => inspect('small', small));
  expect(await Promise.all([first, ...others])).toEqual([1_200, 2, 2, 2, 2, 2]);
  expect(ended).toEqual([...others.map(() => 'small'), 'large']);
  expect(open).toHaveBeenCalledOnce();
  await compute.close();
});

test.each([
  ['a long body', 'x'.repeat(computeLimits.largePayloadCharacters + 1), 1],
  ['a short body', 'x'.repeat(100), 0],
])('%s', async (_name, payload, opened) => {
  const { compute, open } = await openPools();
  const request = { accountId: `0x${'11'.repeat(15)}`, payload, timestamp: 1n, publicKey: '0x' };
  const signature = '11'.repeat(65);
  await expect(compute.run('signerOfRequest', { ...request, signature })).rejects.toThrow();
  expect(open).toHaveBeenCalledTimes(opened);
  await compute.close();
});

test('a pool that did not open is tried again', async () => {
  const answer = { run: async () => 'done', close: async () => undefined } as unknown as Compute;
  const open = vi.fn(async () => answer).mockRejectedValueOnce(new Error('no memory'));
  const compute = separateLargeWork(answer, open);
  const input = { state: new Uint8Array(computeLimits.largeBytes + 1), origin: 'any' } as const;
  await expect(compute.run('inspectAccount', input)).rejects.toThrow('no memory');
  expect(await compute.run('inspectAccount', input)).toBe('done');
  await compute.close();
});
