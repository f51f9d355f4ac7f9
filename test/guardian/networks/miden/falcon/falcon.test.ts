import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { falcon512 } from '@noble/post-quantum/falcon.js';
import { expect, test } from 'vitest';

import { ChaCha20Stream } from '../../../../../src/guardian/networks/miden/falcon/chacha20.ts';
import {
  decodeSignature,
  encodePublicKey,
  encodeSignature,
  FalconEncodingError,
} from '../../../../../src/guardian/networks/miden/falcon/codec.ts';
import { ROOTS } from '../../../../../src/guardian/networks/miden/falcon/roots.ts';
import {
  decodeSecretKey,
  generateSecretKey,
} from '../../../../../src/guardian/networks/miden/falcon/secret-key.ts';
import {
  FalconSigningError,
  sign,
} from '../../../../../src/guardian/networks/miden/falcon/sign.ts';
import {
  publicKeyCommitment,
  verifySignature,
} from '../../../../../src/guardian/networks/miden/falcon/verify.ts';
import { P } from '../../../../../src/guardian/networks/miden/field.ts';
import { type Word, wordToHex } from '../../../../../src/guardian/networks/miden/word.ts';
import {
  fixtureFolder,
  fixtureProtocols,
  fixturesMissing,
  readAccountFixture,
} from '../../../../support/fixtures.ts';
import { RUST_SIGNATURE } from './rust-signature.ts';

const MESSAGE: Word = [1n, 2n, 3n, P - 1n];
/** BLAKE3 of the key below and of its signature over MESSAGE. */
const KEY_DIGEST = '62ecbc1c27d84857f8049ba5c232661d14eb5d21ee11bd72cd792169d8c91854';
const SIGNATURE_DIGEST = '206a41bf4f04c6f2dbbe4fdc735759dea482a02c3171f55c3b187e418fc9fc95';
const pair = falcon512.keygen(new Uint8Array(48).fill(7));
const key = decodeSecretKey(pair.secretKey);
const signature = sign(key, MESSAGE);

test("a signature of Miden's Rust library verifies, and no other message with it", () => {
  const decoded = decodeSignature(RUST_SIGNATURE.bytes);
  expect(wordToHex(publicKeyCommitment(decoded.publicKey))).toBe(RUST_SIGNATURE.commitment);
  expect(verifySignature(RUST_SIGNATURE.message, decoded)).toBe(true);
  const [a, b, c, d] = RUST_SIGNATURE.message;
  expect(verifySignature([a, b, c, d + 1n], decoded)).toBe(false);
});

test('signing gives the same bytes on every runtime', () => {
  // Taken from an implementation whose signatures equal the Rust library's, 20 of 20.
  expect(bytesToHex(blake3(pair.secretKey))).toBe(KEY_DIGEST);
  expect(bytesToHex(blake3(signature))).toBe(SIGNATURE_DIGEST);
  expect(sign(decodeSecretKey(pair.secretKey), MESSAGE)).toEqual(signature);
});

test('own signatures verify, carry the public key, and belong to one message', () => {
  for (let i = 0n; i < 8n; i += 1n) {
    const message: Word = [i, 0n, i * i, 5n];
    const decoded = decodeSignature(sign(key, message));
    expect(encodePublicKey(decoded.publicKey)).toEqual(pair.publicKey);
    expect(verifySignature(message, decoded)).toBe(true);
    expect(verifySignature([i, 1n, i * i, 5n], decoded)).toBe(false);
  }
});

test('generated keys are Falcon keys and differ', () => {
  const [a, b] = [generateSecretKey(), generateSecretKey()];
  expect(a).not.toEqual(b);
  const message: Word = [9n, 9n, 9n, 9n];
  expect(verifySignature(message, decodeSignature(sign(decodeSecretKey(a), message)))).toBe(true);
});

test('a key that would sign wrongly releases nothing', () => {
  const broken = {
    ...key,
    publicKey: key.publicKey.map((c, i) => (i === 3 ? (c + 1) % 12289 : c)),
  };
  expect(() => sign(broken, MESSAGE)).toThrow(FalconSigningError);
});

test('one flipped bit anywhere breaks a signature', () => {
  for (let at = 0; at < signature.length; at += 61) {
    const flipped = signature.slice();
    flipped[at]! ^= 1 << (at % 8);
    expect(accepts(flipped)).toBe(false);
  }
});

test('random bytes in the right shape are no signature', () => {
  const stream = new ChaCha20Stream(new Uint8Array(32));
  for (let i = 0; i < 50; i += 1) {
    const forged = signature.slice();
    stream.read(forged.subarray(2, 627));
    expect(accepts(forged)).toBe(false);
  }
});

test('the zero polynomial is not a short answer to a hashed point', () => {
  expect(accepts(encode(new Int32Array(512))!)).toBe(false);
});

function accepts(bytes: Uint8Array): boolean {
  try {
    return verifySignature(MESSAGE, decodeSignature(bytes));
  } catch (error) {
    expect(error).toBeInstanceOf(FalconEncodingError);
    return false;
  }
}

test.each([0, 1, 1523, 1525, 4000])('a signature of %i bytes is refused', (length) => {
  expect(() => decodeSignature(new Uint8Array(length).fill(0xb9))).toThrow(FalconEncodingError);
});

function encode(s2: Int32Array): Uint8Array | null {
  return encodeSignature(s2, key.publicKey);
}

/** The signature with other bytes from `at` on. */
function changed(at: number, ...bytes: number[]): Uint8Array {
  const copy = signature.slice();
  copy.set(bytes, at);
  return copy;
}

test('a signature has one encoding', () => {
  const { s2 } = decodeSignature(signature);
  expect(encode(s2)).toEqual(signature);

  const negativeZero = encode(s2.map((c, i) => (i === 0 ? 0 : c)))!;
  negativeZero[2]! |= 0x80;
  expect(() => decodeSignature(negativeZero)).toThrow('negative zero');
  expect(() => decodeSignature(changed(626, signature[626]! | 1))).toThrow('behind its last');
  expect(() => decodeSignature(changed(2, ...new Uint8Array(625)))).toThrow('too large');
  const longCodes = Array.from({ length: 625 }, (_, i) => [0b0000_0000, 0b0010_0000][i % 2]!);
  expect(() => decodeSignature(changed(2, ...longCodes))).toThrow('cut off');
  expect(() => decodeSignature(changed(1, 0))).toThrow('nonce version');
  expect(() => decodeSignature(changed(0, 0x39))).toThrow('not a Falcon-512 signature');
});

test('s2 that does not fit has no encoding', () => {
  expect(encode(new Int32Array(512).fill(300))).toBeNull();
  expect(encode(Int32Array.of(2048, ...new Int32Array(511)))).toBeNull();
  const largest = Int32Array.of(2047, -2047, ...new Int32Array(510));
  expect(decodeSignature(encode(largest)!).s2).toEqual(largest);
});

test('public keys of another form are refused', () => {
  expect(() => decodeSignature(changed(628, 0xff, 0xff))).toThrow('out of range');
  expect(() => decodeSignature(changed(627, 0x0a))).toThrow('not a Falcon-512 public key');
});

test('secret keys of another form are refused without being quoted', () => {
  expect(() => decodeSecretKey(new Uint8Array(1281))).toThrow(FalconEncodingError);
  expect(() => decodeSecretKey(pair.secretKey.subarray(1))).toThrow(FalconEncodingError);
  const zero = new Uint8Array(1281);
  zero[0] = 0x59;
  expect(() => decodeSecretKey(zero)).toThrow('not invertible');
  const reserved = pair.secretKey.slice();
  reserved[1] = 0b1000_0000;
  expect(() => decodeSecretKey(reserved)).toThrow('out of range');
});

test('the Fourier roots are those of the unit circle', () => {
  for (let i = 0; i < 512; i += 1) {
    expect(Math.hypot(ROOTS.re[i]!, ROOTS.im[i]!)).toBeCloseTo(1, 15);
  }
  expect([ROOTS.re[0], ROOTS.im[0], ROOTS.re[1], ROOTS.im[1]]).toEqual([1, 0, 0, 1]);
  expect(ROOTS.re[2]).toBe(Math.SQRT1_2);
  expect(ROOTS.im[2]).toBe(Math.SQRT1_2);
});

test('the stream is ChaCha20 (zero key, RFC 8439 appendix A.1) and keeps word boundaries', () => {
  const first = new Uint8Array(8);
  new ChaCha20Stream(new Uint8Array(32)).read(first);
  expect(bytesToHex(first)).toBe('76b8e0ada0f13d90');
  const words = new ChaCha20Stream(new Uint8Array(32));
  const one = new Uint8Array(1);
  words.read(one);
  words.read(one);
  expect(bytesToHex(one)).toBe('a0');
});

test('verification stays under 3 ms', () => {
  const decoded = decodeSignature(signature);
  const times = Array.from({ length: 20 }, () => {
    const started = performance.now();
    verifySignature(MESSAGE, decoded);
    return performance.now() - started;
  });
  expect(Math.min(...times)).toBeLessThan(3);
});

const missing = fixtureFolder === undefined ? ` (${fixturesMissing})` : '';

test.runIf(fixtureFolder).for(fixtureProtocols)(`published keys of %s${missing}`, (protocol) => {
  const { keys: file } = readAccountFixture(protocol);
  const owners = ['guardian', ...[1, 2, 3, 4, 5].map((i) => `signer_${String(i)}`)];
  for (const owner of owners) {
    const published = decodeSecretKey(hexToBytes(file[`${owner}_secret_key`]!));
    const commitment = wordToHex(publicKeyCommitment(published.publicKey));
    expect(commitment).toBe(file[`${owner}_commitment`]);
    expect(verifySignature(MESSAGE, decodeSignature(sign(published, MESSAGE)))).toBe(true);
  }
});
