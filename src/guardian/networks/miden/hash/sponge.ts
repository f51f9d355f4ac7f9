import type { Word } from '../word.ts';
import { begin, input, state } from './wasm/permutation.ts';

/** The digest in the state. */
export function readDigest(): Word {
  return [state[0]!, state[1]!, state[2]!, state[3]!];
}

/**
 * Hashes any number of elements through the input area, a buffer at a time. An element is any
 * u64; it counts as its residue mod P.
 */
export function absorbAll(
  elements: readonly bigint[] | BigUint64Array,
  domain: bigint,
  absorb: (count: number) => void,
): Word {
  begin(elements.length % 8, domain);
  for (let start = 0; start < elements.length; start += input.length) {
    const count = Math.min(input.length, elements.length - start);
    for (let i = 0; i < count; i++) input[i] = elements[start + i]!;
    absorb(count);
  }
  return readDigest();
}
