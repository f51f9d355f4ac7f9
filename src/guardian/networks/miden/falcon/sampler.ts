/**
 * Discrete Gaussian sampling over the integers (Falcon specification §3.9.3, algorithms 12 to 15).
 * Reads the random stream exactly as Miden's Rust library does.
 *
 * Not constant-time: a process that shares its machine with an attacker should not hold keys.
 */
import type { ChaCha20Stream } from './chacha20.ts';

/** Standard deviation of a Falcon-512 signature, and the smallest one of a leaf. */
export const SIGMA = 165.7366171829776;
const SIGMA_MIN = 1.2778336969128337;
/** 1 / (2·1.8205^2): 1.8205 is the deviation of the base sampler. */
const INVERSE_2_SIGMA_MAX_SQUARED = 1 / (2 * 1.8205 * 1.8205);

/** Reverse cumulative distribution of the half-Gaussian, scaled by 2^72 (table 3.1). */
const REVERSE_CUMULATIVE = [
  3024686241123004913666n,
  1564742784480091954050n,
  636254429462080897535n,
  199560484645026482916n,
  47667343854657281903n,
  8595902006365044063n,
  1163297957344668388n,
  117656387352093658n,
  8867391802663976n,
  496969357462633n,
  20680885154299n,
  638331848991n,
  14602316184n,
  247426747n,
  3104126n,
  28824n,
  198n,
  1n,
];

/** Polynomial approximation of 2^63·exp(-x) on [0, ln 2] (algorithm 13). */
const EXP_COEFFICIENTS = [
  0x00000004741183a3n,
  0x00000036548cfc06n,
  0x0000024fdcbf140an,
  0x0000171d939de045n,
  0x0000d00cf58f6f84n,
  0x000680681cf796e3n,
  0x002d82d8305b0fean,
  0x011111110e066fd0n,
  0x0555555555070f00n,
  0x155555555581ff00n,
  0x400000000002b400n,
  0x7fffffffffff4800n,
  0x8000000000000000n,
];

const TWO_63 = 2 ** 63;

/** A source of integers, reusing its buffers. */
export class GaussianSampler {
  readonly #stream: ChaCha20Stream;
  readonly #nine = new Uint8Array(9);
  readonly #one = new Uint8Array(1);

  constructor(stream: ChaCha20Stream) {
    this.#stream = stream;
  }

  /** An integer from the Gaussian of centre `mu` and deviation `sigma` (algorithm 15). */
  sample(mu: number, sigma: number): number {
    const inverseSigma = 1 / sigma;
    const scale = 0.5 * inverseSigma * inverseSigma;
    const floor = Math.floor(mu);
    const fraction = mu - floor;
    const ccs = SIGMA_MIN * inverseSigma;
    for (;;) {
      const z0 = this.#base();
      const sign = this.#byte() & 1;
      const z = sign + (2 * sign - 1) * z0;
      const distance = z - fraction;
      const x = distance * distance * scale - z0 * z0 * INVERSE_2_SIGMA_MAX_SQUARED;
      if (this.#accept(x, ccs)) return z + floor;
    }
  }

  /** Half-Gaussian of deviation 1.8205 (algorithm 12). */
  #base(): number {
    this.#stream.read(this.#nine);
    let u = 0n;
    for (let i = 8; i >= 0; i -= 1) u = (u << 8n) | BigInt(this.#nine[i]!);
    let z = 0;
    for (const bound of REVERSE_CUMULATIVE) if (u < bound) z += 1;
    return z;
  }

  /** True with probability ccs·exp(-x) (algorithm 14). */
  #accept(x: number, ccs: number): boolean {
    const quotient = Math.floor(x * (1 / Math.LN2));
    const remainder = x - quotient * Math.LN2;
    const shift = BigInt(Math.min(quotient, 63));
    const z = BigInt.asUintN(64, (approximateExp(remainder, ccs) << 1n) - 1n) >> shift;
    for (let i = 56n; i >= 0n; i -= 8n) {
      const difference = this.#byte() - Number((z >> i) & 0xffn);
      if (difference !== 0) return difference < 0;
    }
    return false;
  }

  #byte(): number {
    this.#stream.read(this.#one);
    return this.#one[0]!;
  }
}

/** 2^63·ccs·exp(-x) for x in [0, ln 2] (algorithm 13). */
function approximateExp(x: number, ccs: number): bigint {
  const z = BigInt(Math.floor(x * TWO_63));
  let y = EXP_COEFFICIENTS[0]!;
  for (let i = 1; i < EXP_COEFFICIENTS.length; i += 1) {
    y = BigInt.asUintN(64, EXP_COEFFICIENTS[i]! - ((z * y) >> 63n));
  }
  return (BigInt(Math.floor(TWO_63 * ccs)) * y) >> 63n;
}
