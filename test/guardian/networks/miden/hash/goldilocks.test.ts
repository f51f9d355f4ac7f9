/** The field arithmetic where carries and borrows happen, which random elements almost never reach. */
import { beforeAll, expect, it } from 'vitest';
import { compile } from '../../../../../scripts/build-wasm.ts';
import { P } from '../../../../../src/guardian/networks/miden/field.ts';
import { randomNumbers } from './random-elements.ts';

interface Arithmetic {
  square(a: bigint): bigint;
  multiply(a: bigint, b: bigint): bigint;
  squareBoth(a: bigint, b: bigint): void;
  first(): bigint;
  second(): bigint;
}

let arithmetic: Arithmetic;
beforeAll(async () => {
  const binary = await compile(`
    import * as field from './goldilocks.as';
    export function square(a: u64): u64 { return field.square(a); }
    export function multiply(a: u64, b: u64): u64 { return field.multiply(a, b); }
    export function squareBoth(a: u64, b: u64): void {
      store<u64>(1024, a);
      store<u64>(1032, b);
      v128.store(1024, field.squarePair(v128.load(1024), i64x2.splat(0x8000000000000000)));
    }
    export function first(): u64 { return load<u64>(1024); }
    export function second(): u64 { return load<u64>(1032); }`);
  const { instance } = await WebAssembly.instantiate(Uint8Array.from(binary));
  arithmetic = instance.exports as unknown as Arithmetic;
}, 60_000);

/** Powers of two and sums of two of them, next to multiples of 2^32 and of p; any u64 is allowed. */
function hardOperands(): bigint[] {
  const near = (value: bigint) => [-2n, -1n, 0n, 1n, 2n].map((step) => value + step);
  const powers = Array.from({ length: 65 }, (_, exponent) => 2n ** BigInt(exponent));
  const sums = powers.flatMap((power) => powers.map((other) => power + other));
  const next = randomNumbers(3);
  const all = [
    ...[0n, P, P - 2n ** 32n, 2n ** 64n].flatMap(near),
    ...powers.flatMap(near),
    ...sums.flatMap(near),
    ...Array.from({ length: 2_000 }, next),
  ];
  return [...new Set(all.map((value) => BigInt.asUintN(64, value)))];
}

it('squares and products are right modulo p, whatever the operands', () => {
  const operands = hardOperands();
  for (const [index, a] of operands.entries()) {
    const b = operands.at(index - 7)!;
    arithmetic.squareBoth(a, b);
    const found = [
      arithmetic.square(a),
      arithmetic.multiply(a, b),
      arithmetic.first(),
      arithmetic.second(),
    ].map((value) => BigInt.asUintN(64, value) % P);
    const expected = [(a * a) % P, (a * b) % P, (a * a) % P, (b * b) % P];
    if (found.join() !== expected.join()) {
      expect({ a, b, found }).toEqual({ a, b, found: expected });
    }
  }
  expect(operands.length).toBeGreaterThan(10_000);
});
