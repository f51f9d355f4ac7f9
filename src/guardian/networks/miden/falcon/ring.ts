/** Arithmetic in Z_q[x]/(x^512 + 1): polynomials are Int32Array of 512 coefficients in [0, q). */
import { LOG_N, N, Q } from './parameters.ts';

/** 11 generates the multiplicative group, so this is a primitive 1024th root of unity. */
const PSI = power(11, (Q - 1) / (2 * N));
const PSI_POWERS = bitReversedPowers(PSI);
const INVERSE_PSI_POWERS = bitReversedPowers(inverse(PSI));
const INVERSE_N = inverse(N);

function power(base: number, exponent: number): number {
  let result = 1;
  let square = base % Q;
  for (let rest = exponent; rest > 0; rest >>= 1) {
    if (rest & 1) result = (result * square) % Q;
    square = (square * square) % Q;
  }
  return result;
}

/** Inverse modulo q of a non-zero element. */
export function inverse(element: number): number {
  return power(element, Q - 2);
}

export function reverseBits(value: number, bits: number): number {
  let reversed = 0;
  for (let i = 0; i < bits; i += 1) reversed = (reversed << 1) | ((value >> i) & 1);
  return reversed;
}

function bitReversedPowers(root: number): Int32Array {
  return Int32Array.from({ length: N }, (_, i) => power(root, reverseBits(i, LOG_N)));
}

/** Negacyclic number-theoretic transform, in place, bit-reversed order. */
export function transform(a: Int32Array): Int32Array {
  let half = N;
  for (let blocks = 1; blocks < N; blocks <<= 1) {
    half >>= 1;
    for (let block = 0; block < blocks; block += 1) {
      const twiddle = PSI_POWERS[blocks + block]!;
      const start = 2 * block * half;
      for (let j = start; j < start + half; j += 1) {
        const u = a[j]!;
        const v = (a[j + half]! * twiddle) % Q;
        a[j] = u + v < Q ? u + v : u + v - Q;
        a[j + half] = u < v ? u - v + Q : u - v;
      }
    }
  }
  return a;
}

/** Inverse of `transform`, in place. */
export function inverseTransform(a: Int32Array): Int32Array {
  let half = 1;
  for (let blocks = N >> 1; blocks >= 1; blocks >>= 1) {
    for (let block = 0; block < blocks; block += 1) {
      const twiddle = INVERSE_PSI_POWERS[blocks + block]!;
      const start = 2 * block * half;
      for (let j = start; j < start + half; j += 1) {
        const u = a[j]!;
        const v = a[j + half]!;
        a[j] = u + v < Q ? u + v : u + v - Q;
        a[j + half] = ((u - v + Q) * twiddle) % Q;
      }
    }
    half <<= 1;
  }
  for (let i = 0; i < N; i += 1) a[i] = (a[i]! * INVERSE_N) % Q;
  return a;
}

/** Signed coefficients as residues in [0, q). */
export function residues(coefficients: Int32Array): Int32Array {
  return coefficients.map((c) => ((c % Q) + Q) % Q);
}

/** The representative of a residue in [-(q-1)/2, (q-1)/2]. */
export function centred(residue: number): number {
  return residue > Q >> 1 ? residue - Q : residue;
}

/** Product of two transformed polynomials, transformed; writes into `a`. */
export function multiplyTransformed(a: Int32Array, b: Int32Array): Int32Array {
  for (let i = 0; i < N; i += 1) a[i] = (a[i]! * b[i]!) % Q;
  return a;
}
