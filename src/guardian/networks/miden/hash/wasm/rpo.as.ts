// Rescue Prime Optimized over 12 elements: 7 rounds of a forward and an inverse half round.
import { addCanonical, canonical, EPSILON, joinHalves, multiply, power7, square, squarePair } from './goldilocks.as';
import { RPO_CONSTANTS, SCRATCH, STATE, STATE_END } from './layout.as';

const ROW: usize = 96;
const HALVES = SCRATCH;

@inline
function term(at: usize, factor: u64): u64 {
  return load<u64>(at) * factor;
}

/** One row of the circulant matrix [7,23,8,26,13,10,9,7,6,22,21,8] on doubled lanes at `at`. */
@inline
function mdsRow(at: usize): u64 {
  return term(at, 7) + term(at + 8, 23) + term(at + 16, 8) + term(at + 24, 26) +
    term(at + 32, 13) + term(at + 40, 10) + term(at + 48, 9) + term(at + 56, 7) +
    term(at + 64, 6) + term(at + 72, 22) + term(at + 80, 21) + term(at + 88, 8);
}

/** The matrix, then the round constants. Each half of the state is stored twice in a row, so that
 *  every row of the circulant reads 12 neighbours. */
function mdsAndConstants(constants: usize): void {
  for (let lane: usize = 0; lane < ROW; lane += 8) {
    const value = load<u64>(STATE + lane);
    const low = value & EPSILON;
    const high = value >> 32;
    store<u64>(HALVES + lane, low);
    store<u64>(HALVES + lane, low, 96);
    store<u64>(HALVES + lane, high, 192);
    store<u64>(HALVES + lane, high, 288);
  }
  for (let lane: usize = 0; lane < ROW; lane += 8) {
    // Row i of the circulant starts its coefficients at column i.
    const at = HALVES + lane;
    const mixed = joinHalves(mdsRow(at), mdsRow(at + 192));
    store<u64>(STATE + lane, addCanonical(mixed, load<u64>(constants + lane)));
  }
}

// The lanes of the inverse S-box are independent; working on several before the next step keeps
// the multipliers busy, where one lane after the other would wait for each product.

function multiplyRows(to: usize, a: usize, b: usize): void {
  for (let lane: usize = 0; lane < ROW; lane += 8) {
    store<u64>(to + lane, multiply(load<u64>(a + lane), load<u64>(b + lane)));
  }
}

/**
 * to = from^(2^count). Six lanes stay in registers through all steps: four of them on the vector
 * unit and two on the multiplier, which work side by side.
 */
function squareTimes(to: usize, from: usize, count: i32): void {
  const sign = i64x2.splat(0x8000000000000000);
  for (let lane: usize = 0; lane < ROW; lane += 48) {
    let a = v128.load(from + lane);
    let b = v128.load(from + lane, 16);
    let c = load<u64>(from + lane, 32);
    let d = load<u64>(from + lane, 40);
    for (let i = 0; i < count; i++) {
      a = squarePair(a, sign);
      c = square(c);
      b = squarePair(b, sign);
      d = square(d);
    }
    v128.store(to + lane, a);
    v128.store(to + lane, b, 16);
    store<u64>(to + lane, c, 32);
    store<u64>(to + lane, d, 40);
  }
}

/** to = from^(2^count) * tail; `to` must differ from `tail`. */
function squareThenMultiply(to: usize, from: usize, count: i32, tail: usize): void {
  squareTimes(to, from, count);
  multiplyRows(to, to, tail);
}

const X2 = SCRATCH;
const X4 = SCRATCH + ROW;
const A = SCRATCH + 2 * ROW;
const B = SCRATCH + 3 * ROW;
const C = SCRATCH + 4 * ROW;

/** x^(1/7) = x^10540996611094048183 in 72 multiplications a lane. The exponent is
 *  0b1001001..., a repeated pattern: the steps below write it in binary. */
function inverseSbox(): void {
  squareTimes(X2, STATE, 1);
  squareTimes(X4, X2, 1);
  squareThenMultiply(A, X4, 3, X4); // 100100
  squareThenMultiply(B, A, 6, A); // (100) x 4
  squareThenMultiply(C, B, 12, B); // (100) x 8
  squareThenMultiply(B, C, 6, A); // (100) x 10
  squareThenMultiply(C, B, 31, B); // (100) x 10, one bit, (100) x 10
  squareThenMultiply(A, C, 1, B);
  squareTimes(A, A, 2);
  multiplyRows(X2, X2, X4);
  multiplyRows(X2, X2, STATE);
  multiplyRows(STATE, A, X2);
}

/** Permutes STATE in place; the result is canonical. */
export function rpoPermute(): void {
  let constants = RPO_CONSTANTS;
  for (let round = 0; round < 7; round++) {
    mdsAndConstants(constants);
    for (let at = STATE; at < STATE_END; at += 8) store<u64>(at, power7(load<u64>(at)));
    mdsAndConstants(constants + ROW);
    inverseSbox();
    constants += 2 * ROW;
  }
  for (let at = STATE; at < STATE_END; at += 8) store<u64>(at, canonical(load<u64>(at)));
}
