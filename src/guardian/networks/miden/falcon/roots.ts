/**
 * Complex roots of unity for Falcon's Fourier transform, from exact integer arithmetic.
 *
 * `Math.cos` may differ between engines in its last bit, and two replicas must never sign one
 * message differently: the nonce is fixed, and two signatures of one point reveal the key.
 */
import { LOG_N, N } from './parameters.ts';
import { reverseBits } from './ring.ts';

/** Fixed-point precision. Some 100 bits are left correct after 512 steps; a double holds 53. */
const BITS = 160n;
const ONE = 1n << BITS;

/** exp(i·pi·k/n) at index reverse(k), each part rounded to the nearest double. */
export const ROOTS: { readonly re: Float64Array; readonly im: Float64Array } = roots();

function roots(): { re: Float64Array; im: Float64Array } {
  const table = { re: new Float64Array(N), im: new Float64Array(N) };
  const step = cosAndSin((16n * arctanOfInverse(5n) - 4n * arctanOfInverse(239n)) / BigInt(N));
  let [cos, sin] = [ONE, 0n];
  for (let k = 0; k < N; k += 1) {
    const at = reverseBits(k, LOG_N);
    table.re[at] = toDouble(cos);
    table.im[at] = toDouble(sin);
    [cos, sin] = [
      product(cos, step.cos) - product(sin, step.sin),
      product(cos, step.sin) + product(sin, step.cos),
    ];
  }
  return table;
}

/** Taylor series of arctan(1/x); pi = 16·arctan(1/5) - 4·arctan(1/239) (Machin). */
function arctanOfInverse(x: bigint): bigint {
  let sum = 0n;
  let power = ONE / x;
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += k % 4n === 1n ? power / k : -(power / k);
    power /= x * x;
  }
  return sum;
}

function cosAndSin(angle: bigint): { cos: bigint; sin: bigint } {
  let [cos, sin] = [0n, 0n];
  let term = ONE;
  for (let k = 0n; term !== 0n;) {
    const signed = k % 4n < 2n ? term : -term;
    if (k % 2n === 0n) cos += signed;
    else sin += signed;
    k += 1n;
    term = product(term, angle) / k;
  }
  return { cos, sin };
}

function product(a: bigint, b: bigint): bigint {
  return (a * b) >> BITS;
}

/**
 * Rounds to 120 bits, so that what is zero or one becomes exactly that, then to a double:
 * `Number` of a bigint rounds to nearest, and the division by a power of two is exact.
 */
function toDouble(value: bigint): number {
  return Number((value + (1n << 39n)) >> 40n) / 2 ** Number(BITS - 40n);
}
