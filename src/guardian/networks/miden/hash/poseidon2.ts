/** Poseidon2 over the Goldilocks field: the hash of accounts, deltas and keys. */
import type { Word } from '../word.ts';
import { absorbAll, readDigest } from './sponge.ts';
import { absorbPoseidon2, merge, poseidon2Permute, state } from './wasm/permutation.ts';

/** Permutes 12 elements in place; the result is canonical. */
export function permute(elements: BigUint64Array): void {
  state.set(elements);
  poseidon2Permute();
  elements.set(state);
}

/**
 * The sponge of miden-crypto: rate first, overwrite mode, length mod 8 in the capacity. Nothing
 * hashes to the zero word. An element counts as its residue mod P.
 */
export function hashElements(elements: readonly bigint[], domain = 0n): Word {
  return absorbAll(elements, domain, absorbPoseidon2);
}

/** One permutation over two words: what `hashElements` of the eight elements gives. */
export function mergeWords(a: Word, b: Word, domain = 0n): Word {
  for (let i = 0; i < 4; i++) {
    state[i] = a[i]!;
    state[4 + i] = b[i]!;
  }
  merge(domain);
  return readDigest();
}
