/**
 * Deterministic Falcon-512 signing, byte for byte as Miden's Rust library.
 *
 * The nonce is fixed, so the challenge of a message is always the same point, and two different
 * short preimages of one point reveal the key. Therefore nothing here may depend on anything
 * but key and message: the sampler's seed is a hash of both, and the Fourier roots are exact.
 */
import { blake3 } from '@noble/hashes/blake3.js';

import { type Word, wordToBytes } from '../word.ts';
import { ChaCha20Stream } from './chacha20.ts';
import { decodeSignature, encodeSignature } from './codec.ts';
import {
  add,
  type ComplexPoly,
  fft,
  inverseFft,
  merge,
  multiply,
  negate,
  split,
  subtract,
  zeros,
} from './complex.ts';
import { hashToPoint } from './hash-to-point.ts';
import { LOG_N, MAX_S2_COEFFICIENT, N, NORM_BOUND, Q } from './parameters.ts';
import { GaussianSampler } from './sampler.ts';
import type { FalconSecretKey, LdlTree } from './secret-key.ts';
import { verifySignature } from './verify.ts';

/** No signature was released. The same key and message will fail again. */
export class FalconSigningError extends Error {
  override name = 'FalconSigningError';
}

/**
 * Signs a word: 1524 bytes, public key included.
 * @throws FalconSigningError when s2 does not fit its encoding, or when the result does not
 *   verify (a fault of the machine: a wrong signature of the fixed point would leak the key).
 */
export function sign(key: FalconSecretKey, message: Word): Uint8Array {
  const s2 = shortPreimage(
    key,
    hashToPoint(message),
    new ChaCha20Stream(samplerSeed(key, message)),
  );
  const signature = encodeSignature(s2, key.publicKey);
  if (signature === null) throw new FalconSigningError('the signature does not fit its encoding');
  if (!verifySignature(message, decodeSignature(signature))) {
    throw new FalconSigningError('the signature does not verify');
  }
  return signature;
}

/** BLAKE3 of log2 n, secret key and message. */
function samplerSeed(key: FalconSecretKey, message: Word): Uint8Array {
  return blake3
    .create()
    .update(Uint8Array.of(LOG_N))
    .update(key.bytes)
    .update(wordToBytes(message))
    .digest();
}

/** s2 of a short (s1, s2) with s1 + s2·h = c (algorithm 10). */
function shortPreimage(key: FalconSecretKey, c: Int32Array, stream: ChaCha20Stream): Int32Array {
  const [g, f, G, F] = key.basis;
  const scaled = zeros(N);
  for (let i = 0; i < N; i += 1) scaled.re[i] = (1 / Q) * c[i]!;
  fft(scaled);
  const t0 = multiply(scaled, F);
  const t1 = multiply(negate(scaled), f);
  const sampler = new GaussianSampler(stream);
  for (;;) {
    const [z0, z1] = sampleTree(t0, t1, key.tree, sampler);
    const d0 = subtract(t0, z0);
    const d1 = subtract(t1, z1);
    const s1 = add(multiply(d0, g), multiply(d1, G));
    const s2 = add(multiply(d0, f), multiply(d1, F));
    if ((squaredNorm(s1) + squaredNorm(s2)) / N > NORM_BOUND) continue;
    const rounded = Int32Array.from(inverseFft(s2).re, roundHalfAwayFromZero);
    if (rounded.every((v) => Math.abs(v) <= MAX_S2_COEFFICIENT)) return rounded;
  }
}

/** Fast Fourier nearest plane with Gaussian rounding (algorithm 11). */
function sampleTree(
  t0: ComplexPoly,
  t1: ComplexPoly,
  tree: LdlTree,
  sampler: GaussianSampler,
): [ComplexPoly, ComplexPoly] {
  if (tree.leaf) {
    const z0 = zeros(1);
    const z1 = zeros(1);
    z0.re[0] = sampler.sample(t0.re[0]!, tree.sigma);
    z1.re[0] = sampler.sample(t1.re[0]!, tree.sigma);
    return [z0, z1];
  }
  const z1 = merge(...sampleTree(...split(t1), tree.right, sampler));
  const shifted = add(t0, multiply(subtract(t1, z1), tree.l));
  const z0 = merge(...sampleTree(...split(shifted), tree.left, sampler));
  return [z0, z1];
}

function squaredNorm(a: ComplexPoly): number {
  let norm = 0;
  for (let i = 0; i < N; i += 1) norm += a.re[i]! * a.re[i]! + a.im[i]! * a.im[i]!;
  return norm;
}

function roundHalfAwayFromZero(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}
