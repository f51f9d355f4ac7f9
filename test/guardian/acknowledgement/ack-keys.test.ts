import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { falcon512 } from '@noble/post-quantum/falcon.js';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { type AckKeySource, loadAckKeys } from '../../../src/guardian/acknowledgement/ack-keys.ts';
import { ackIdentity } from '../../../src/guardian/acknowledgement/ack-identity.ts';
import { verifySignedMessage } from '../../../src/guardian/authentication/signature.ts';
import { startComputePool } from '../../../src/guardian/networks/miden/compute/pool.ts';
import { wordFromHex } from '../../../src/guardian/networks/miden/word.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ack-keys-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const pair = falcon512.keygen(new Uint8Array(48).fill(3));
const FALCON = bytesToHex(pair.secretKey);
const ECDSA = '01'.padStart(64, '0');
const KEYS = { falcon: pair.secretKey, ecdsa: hexToBytes(ECDSA) };

async function secretFile(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text, { mode });
  await chmod(path, mode);
  return path;
}

async function refusal(source: AckKeySource): Promise<string> {
  const error: unknown = await loadAckKeys(source).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  const { name, message, stack, cause } = error as Error;
  expect(name).toBe('AckKeyError');
  const shown = `${message}${String(stack)}${String(cause)}`;
  expect(shown).not.toContain(FALCON.slice(10, 40));
  expect(shown).not.toContain(ECDSA);
  return message;
}

test('keys come from values', async () => {
  expect(await loadAckKeys({ provider: 'env', falcon: FALCON, ecdsa: ECDSA })).toEqual(KEYS);
  const dressed = { falcon: `\n 0x${FALCON.toUpperCase()} `, ecdsa: `0x${ECDSA}\n` };
  expect(await loadAckKeys({ provider: 'env', ...dressed })).toEqual(KEYS);
});

test('keys come from files that only their owner can read', async () => {
  const falconPath = await secretFile('falcon', `0x${FALCON}\n`);
  const ecdsaPath = await secretFile('ecdsa', ECDSA, 0o400);
  expect(await loadAckKeys({ provider: 'file', falconPath, ecdsaPath })).toEqual(KEYS);
  for (const mode of [0o640, 0o604, 0o620, 0o660, 0o644]) {
    await chmod(falconPath, mode);
    expect(await refusal({ provider: 'file', falconPath, ecdsaPath })).toContain(falconPath);
  }
});

test('a missing or huge file is named', async () => {
  const falconPath = await secretFile('falcon', FALCON + ' '.repeat(10_000));
  const ecdsaPath = join(directory, 'nothing');
  expect(await refusal({ provider: 'file', falconPath, ecdsaPath })).toContain('too large');
  await secretFile('falcon', FALCON);
  expect(await refusal({ provider: 'file', falconPath, ecdsaPath })).toContain('nothing');
});

test.each([
  ['falcon', '', ECDSA],
  ['falcon', FALCON.slice(2), ECDSA],
  ['falcon', `${FALCON}zz`, ECDSA],
  ['falcon', '59'.padEnd(2562, '0'), ECDSA],
  ['falcon', ECDSA, ECDSA],
  ['ecdsa', FALCON, ''],
  ['ecdsa', FALCON, `${ECDSA}00`],
  ['ecdsa', FALCON, '0'.repeat(64)],
  ['ecdsa', FALCON, 'f'.repeat(64)],
  ['ecdsa', FALCON, ECDSA.slice(1)],
])('a malformed %s key is refused without being shown', async (scheme, falcon, ecdsa) => {
  expect(await refusal({ provider: 'env', falcon, ecdsa })).toContain(scheme);
});

test('a keystore is made once, for its owner only, and read ever after', async () => {
  const store = join(directory, 'deep', 'keystore');
  const first = await loadAckKeys({ provider: 'none', directory: store });
  expect(await loadAckKeys({ provider: 'none', directory: store })).toEqual(first);
  expect((await readdir(store)).toSorted()).toEqual(['ecdsa.key', 'falcon.key']);
  expect((await stat(store)).mode & 0o777).toBe(0o700);
  for (const name of ['ecdsa.key', 'falcon.key']) {
    expect((await stat(join(store, name))).mode & 0o777).toBe(0o600);
  }
  expect(await readFile(join(store, 'falcon.key'), 'utf8')).toBe(`${bytesToHex(first.falcon)}\n`);
});

test('an exposed keystore is refused', async () => {
  const store = join(directory, 'keystore');
  await mkdir(store, { mode: 0o755 });
  await chmod(store, 0o755);
  expect(await refusal({ provider: 'none', directory: store })).toContain('0700');
  await chmod(store, 0o700);
  await loadAckKeys({ provider: 'none', directory: store });
  await chmod(join(store, 'ecdsa.key'), 0o644);
  expect(await refusal({ provider: 'none', directory: store })).toContain('0600');
});

test('several processes that start at once get the same keys', async () => {
  const store = join(directory, 'keystore');
  const child = new URL('./open-keystore.ts', import.meta.url);
  const starters = Array.from({ length: 3 }, () => fork(child, [store], { execArgv: [] }));
  const seen = await Promise.all(
    starters.map(async (process) => {
      const [keys] = (await once(process, 'message')) as [{ falcon: string; ecdsa: string }];
      return `${keys.falcon} ${keys.ecdsa}`;
    }),
  );
  expect(new Set(seen).size).toBe(1);
  const kept = await loadAckKeys({ provider: 'none', directory: store });
  expect(seen[0]).toBe(`${bytesToHex(kept.falcon)} ${bytesToHex(kept.ecdsa)}`);
  expect(await readdir(store)).toHaveLength(2);
});

test('the signer names its keys and its signatures verify under those names', async () => {
  const compute = await startComputePool({ keys: KEYS, threads: 0 });
  const signer = ackIdentity(KEYS);
  expect(signer.publicKey('falcon')).toBe(`0x${bytesToHex(pair.publicKey)}`);
  expect(signer.commitment('falcon', '0.15')).toBe(signer.commitment('falcon'));
  expect(signer.commitment('ecdsa')).toBe(
    '0xbedba26abafe16a4e2d185537eee7ddd5a751c4982e910d3a02b8f6fa2fbb616',
  );
  expect(signer.commitment('ecdsa', '0.15')).toBe(
    '0xe7bcb6083533e73777b9d79ffbe069de72c37a05b56e0f7293aabb7fba7f74d4',
  );

  const summary = `0x${'0102030405060708'.repeat(4)}`;
  const sign = async (scheme: 'falcon' | 'ecdsa') =>
    compute.run('acknowledge', { scheme, summaryCommitment: summary });
  const lengths = { falcon: 3048, ecdsa: 130 };
  for (const scheme of ['falcon', 'ecdsa'] as const) {
    const signature = await sign(scheme);
    expect(signature).toMatch(/^[0-9a-f]+$/);
    expect(signature).toHaveLength(lengths[scheme]);
    expect(await sign(scheme)).toBe(signature);
    const authorized = [signer.commitment(scheme)];
    const claim = { scheme, signature: hexToBytes(signature), authorized };
    expect(verifySignedMessage({ ...claim, message: () => wordFromHex(summary) })).toBe(
      signer.commitment(scheme),
    );
  }
});
