import type { Word } from '../word.ts';
import { emptyRoots, lift, merge, state } from '../hash/wasm/permutation.ts';

/**
 * A word as it lies in WebAssembly memory: four elements. Trees keep their digests in this form, so
 * that hashing along a path creates no bigints.
 */
export type Digest = BigUint64Array;

/** Index of a leaf, 0 to 2^64 - 1, as two unsigned 32-bit halves. */
export interface LeafIndex {
  high: number;
  low: number;
}

export function digestToWord(digest: Digest): Word {
  return [digest[0]!, digest[1]!, digest[2]!, digest[3]!];
}

export function wordToDigest(word: Word): Digest {
  return BigUint64Array.from(word);
}

/** Root of a subtree without entries whose leaves lie `height` levels below. */
export function emptyRoot(height: number): Digest {
  return emptyRoots.slice(4 * height, 4 * height + 4);
}

/** Hash of an inner node. */
export function mergeDigests(left: Digest, right: Digest): Digest {
  state.set(left, 0);
  state.set(right, 4);
  merge(0n);
  return state.slice(0, 4);
}

/**
 * Digest of the ancestor of height `to` of the node of height `from` above leaf `index`, when that
 * node is the only one beneath the ancestor that is not empty. One permutation a level.
 */
export function liftDigest(digest: Digest, index: LeafIndex, from: number, to: number): Digest {
  if (from === to) return digest;
  state.set(digest, 0);
  lift(index.low, index.high, from, to);
  return state.slice(0, 4);
}
