import { P } from '../../../../../src/guardian/networks/miden/field.ts';

/** SplitMix64: the same numbers in every run. */
export function randomNumbers(seed: number): () => bigint {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
}

export function randomElements(length: number, seed: number): bigint[] {
  const next = randomNumbers(seed);
  return Array.from({ length }, () => next() % P);
}
