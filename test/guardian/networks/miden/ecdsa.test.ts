import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { expect, test } from 'vitest';

import {
  ecdsaCommitments,
  ecdsaPublicKey,
  generateEcdsaKey,
  recoverEcdsaKey,
  signEcdsa,
  verifyEcdsa,
} from '../../../../src/guardian/networks/miden/ecdsa.ts';
import { type Word, wordFromHex, wordToHex } from '../../../../src/guardian/networks/miden/word.ts';

/** Secret key 1: its public key is the generator. */
const ONE = hexToBytes('01'.padStart(64, '0'));
const GENERATOR = ecdsaPublicKey(ONE);
const MESSAGE: Word = wordFromHex(
  '0x50f803aea593aa598d9cbc2acf43eabad94732bc412121d77626962e612bf27e',
);
const SIGNATURE = hexToBytes(
  '51f69f01ac23294468a9bc64c1322cf61062175fe48dde4d1ba083f3b2ef0fc1' +
    '399343609ccc761d2020ba4f5ab84837f9749a2d6e719c823131538b44d9c2ee01',
);
const ORDER = secp256k1.Point.Fn.ORDER;

test('the generator has the commitments of both generations of miden-crypto', () => {
  const commitments = ecdsaCommitments(GENERATOR)!;
  expect(wordToHex(commitments.native)).toBe(
    '0xbedba26abafe16a4e2d185537eee7ddd5a751c4982e910d3a02b8f6fa2fbb616',
  );
  expect(wordToHex(commitments.packed)).toBe(
    '0xe7bcb6083533e73777b9d79ffbe069de72c37a05b56e0f7293aabb7fba7f74d4',
  );
});

test('both signs of y have their own commitments', () => {
  const mirrored = GENERATOR.slice();
  mirrored[0]! ^= 1;
  const [a, b] = [ecdsaCommitments(GENERATOR)!, ecdsaCommitments(mirrored)!];
  expect(new Set([a.native, a.packed, b.native, b.packed].map(wordToHex)).size).toBe(4);
});

test('what is not a compressed point has no commitment', () => {
  expect(ecdsaCommitments(new Uint8Array(33))).toBeNull();
  expect(ecdsaCommitments(Uint8Array.of(2, ...new Uint8Array(32).fill(0xff)))).toBeNull();
  expect(ecdsaCommitments(secp256k1.getPublicKey(ONE, false))).toBeNull();
  expect(ecdsaCommitments(GENERATOR.subarray(1))).toBeNull();
});

test('signs like the reference, and the key comes back out of the signature', () => {
  expect(bytesToHex(signEcdsa(ONE, MESSAGE))).toBe(bytesToHex(SIGNATURE));
  expect(recoverEcdsaKey(MESSAGE, SIGNATURE)).toEqual(GENERATOR);
  expect(verifyEcdsa(MESSAGE, SIGNATURE, GENERATOR)).toBe(true);
  for (let i = 0n; i < 10n; i += 1n) {
    const secret = generateEcdsaKey();
    const message: Word = [i, 1n, 2n, 3n];
    expect(recoverEcdsaKey(message, signEcdsa(secret, message))).toEqual(ecdsaPublicKey(secret));
  }
});

test('another message, another key, another scalar: no', () => {
  const other: Word = [MESSAGE[0] + 1n, MESSAGE[1], MESSAGE[2], MESSAGE[3]];
  expect(recoverEcdsaKey(other, SIGNATURE)).not.toEqual(GENERATOR);
  expect(verifyEcdsa(other, SIGNATURE, GENERATOR)).toBe(false);
  expect(verifyEcdsa(MESSAGE, SIGNATURE, ecdsaPublicKey(generateEcdsaKey()))).toBe(false);
  const changed = SIGNATURE.slice();
  changed[40]! ^= 4;
  expect(verifyEcdsa(MESSAGE, changed, GENERATOR)).toBe(false);
});

function withS(s: bigint, recovery: number): Uint8Array {
  const bytes = SIGNATURE.slice();
  bytes.set(hexToBytes(s.toString(16).padStart(64, '0')), 32);
  bytes[64] = recovery;
  return bytes;
}

test('the mirrored signature with a high s is refused', () => {
  const s = BigInt(`0x${bytesToHex(SIGNATURE.subarray(32, 64))}`);
  const high = withS(ORDER - s, 0);
  expect(recoverEcdsaKey(MESSAGE, high)).toBeNull();
  expect(verifyEcdsa(MESSAGE, high, GENERATOR)).toBe(false);
});

test.each([
  ['64 bytes', SIGNATURE.subarray(0, 64)],
  ['66 bytes', Uint8Array.of(...SIGNATURE, 0)],
  ['nothing', new Uint8Array(0)],
  ['a recovery id of 4', withS(1n, 4)],
  ['the recovery id 28', withS(1n, 28)],
  ['s = 0', withS(0n, 0)],
  ['s = n', withS(ORDER, 0)],
  ['zeros', new Uint8Array(65)],
  ['all ones', new Uint8Array(65).fill(0xff)],
])('%s recovers nothing', (_name, bytes) => {
  expect(recoverEcdsaKey(MESSAGE, bytes)).toBeNull();
  expect(verifyEcdsa(MESSAGE, bytes, GENERATOR)).toBe(false);
});

test('a secret key out of range is refused', () => {
  expect(() => ecdsaPublicKey(new Uint8Array(32))).toThrow('not an ECDSA secret key');
  expect(() => ecdsaPublicKey(new Uint8Array(31).fill(1))).toThrow('not an ECDSA secret key');
});
