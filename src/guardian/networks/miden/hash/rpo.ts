/** Rescue Prime Optimized: the hash of request messages (protocol dossier 2.4). */
import type { Word } from '../word.ts';
import { absorbAll } from './sponge.ts';
import { absorbRpo } from './wasm/permutation.ts';

/** As `hashElements` of Poseidon2, with the RPO permutation. An element counts as its residue mod P. */
export function rpoHashElements(elements: readonly bigint[] | BigUint64Array): Word {
  return absorbAll(elements, 0n, absorbRpo);
}
