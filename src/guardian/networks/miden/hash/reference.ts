/**
 * Plain BigInt twins of the WebAssembly permutations and of the sponge, written from the
 * definitions. Slow (0.1 to 0.7 ms a permutation); they exist so that tests can compare.
 */
import { P } from '../field.ts';
import type { Word } from '../word.ts';
import { poseidon2Constants, rpoConstants } from './constants.ts';

type Permutation = (state: bigint[]) => bigint[];

const multiply = (a: bigint, b: bigint) => (a * b) % P;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = multiply(result, base);
    base = multiply(base, base);
  }
  return result;
}

const MDS_ROW = [7n, 23n, 8n, 26n, 13n, 10n, 9n, 7n, 6n, 22n, 21n, 8n];
/** 1/7 mod P - 1. */
const INVERSE_ALPHA = 10540996611094048183n;

function mds(state: readonly bigint[]): bigint[] {
  return state.map((_, row) => {
    let sum = 0n;
    for (let k = 0; k < 12; k++) sum += MDS_ROW[k]! * state[(row + k) % 12]!;
    return sum % P;
  });
}

export function rpoReference(input: readonly bigint[]): bigint[] {
  const constants = rpoConstants();
  let state = [...input];
  for (let round = 0; round < 7; round++) {
    const at = 24 * round;
    state = mds(state).map((x, i) => power((x + constants[at + i]!) % P, 7n));
    state = mds(state).map((x, i) => power((x + constants[at + 12 + i]!) % P, INVERSE_ALPHA));
  }
  return state;
}

const BLOCK = [
  [2n, 3n, 1n, 1n],
  [1n, 2n, 3n, 1n],
  [1n, 1n, 2n, 3n],
  [3n, 1n, 1n, 2n],
];

/** circ(2M, M, M) for the 4x4 matrix M = BLOCK. */
function externalLayer(state: readonly bigint[]): bigint[] {
  return state.map((_, row) => {
    let sum = 0n;
    for (let column = 0; column < 12; column++) {
      const diagonal = row >> 2 === column >> 2 ? 2n : 1n;
      sum += diagonal * BLOCK[row & 3]![column & 3]! * state[column]!;
    }
    return sum % P;
  });
}

const inverse = (x: bigint) => power(x, P - 2n);
const DIAGONAL = [
  P - 2n,
  1n,
  2n,
  inverse(2n),
  3n,
  4n,
  P - inverse(2n),
  P - 3n,
  P - 4n,
  inverse(4n),
  P - inverse(4n),
  inverse(8n),
];

function internalLayer(state: readonly bigint[]): bigint[] {
  const sum = state.reduce((total, x) => total + x, 0n);
  return state.map((x, i) => (x * DIAGONAL[i]! + sum) % P);
}

export function poseidon2Reference(input: readonly bigint[]): bigint[] {
  const constants = poseidon2Constants();
  let next = 0;
  let state = externalLayer(input);
  for (let round = 0; round < 30; round++) {
    if (round < 4 || round >= 26) {
      state = externalLayer(state.map((x) => power((x + constants[next++]!) % P, 7n)));
    } else {
      state[0] = power((state[0]! + constants[next++]!) % P, 7n);
      state = internalLayer(state);
    }
  }
  return state;
}

/** The overwrite-mode sponge of miden-crypto (protocol dossier 2.2). */
export function hashReference(
  permutation: Permutation,
  elements: readonly bigint[],
  domain = 0n,
): Word {
  let state = Array.from({ length: 12 }, () => 0n);
  state[8] = BigInt(elements.length % 8);
  state[9] = domain;
  for (let at = 0; at < elements.length; at += 8) {
    for (let i = 0; i < 8; i++) state[i] = elements[at + i] ?? 0n;
    state = permutation(state);
  }
  return [state[0]!, state[1]!, state[2]!, state[3]!];
}
