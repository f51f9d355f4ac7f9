// Arithmetic modulo p = 2^64 - 2^32 + 1 on u64 values that may be any representative of their
// residue ("lazy": [0, 2^64)). Only `canonical` brings a value into [0, p).
//
// Reductions rest on 2^64 = 2^32 - 1 and 2^96 = -1 (mod p).

export const EPSILON: u64 = 0xffffffff;
const P: u64 = 0xffffffff00000001;
const HALF: u64 = 0x7fffffff80000001; // 1/2 mod p

@inline
export function canonical(a: u64): u64 {
  return a >= P ? a - P : a;
}

/** `b` must be below p, so that one carry correction is enough. */
@inline
export function addCanonical(a: u64, b: u64): u64 {
  const sum = a + b;
  return sum + (sum < a ? EPSILON : 0);
}

/** high * 2^64 + low. */
@inline
function reduceProduct(low: u64, high: u64): u64 {
  const top = high >> 32;
  const difference = low - top - (low < top ? EPSILON : 0);
  const middle = high & EPSILON;
  const shifted = (middle << 32) - middle;
  const sum = difference + shifted;
  return sum + (sum < shifted ? EPSILON : 0);
}

@inline
export function multiply(a: u64, b: u64): u64 {
  const aLow = a & EPSILON;
  const aHigh = a >> 32;
  const bLow = b & EPSILON;
  const bHigh = b >> 32;
  const bottom = aLow * bLow;
  const cross = aHigh * bLow + (bottom >> 32);
  const middle = aLow * bHigh + (cross & EPSILON);
  return reduceProduct(
    (middle << 32) | (bottom & EPSILON),
    aHigh * bHigh + (cross >> 32) + (middle >> 32),
  );
}

@inline
export function square(a: u64): u64 {
  const aLow = a & EPSILON;
  const aHigh = a >> 32;
  const bottom = aLow * aLow;
  const cross = aLow * aHigh;
  const low = bottom + (cross << 33);
  return reduceProduct(low, aHigh * aHigh + (cross >> 31) + (low < bottom ? 1 : 0));
}

/**
 * The squares of two elements at once. Vectors have no unsigned comparison: with their sign bits
 * turned (`sign` holds it), signed ones compare alike, and their result -1 is the carry.
 */
@inline
export function squarePair(pair: v128, sign: v128): v128 {
  const lows = v128.shuffle<i32>(pair, pair, 0, 2, 0, 2);
  const highs = v128.shuffle<i32>(pair, pair, 1, 3, 1, 3);
  const bottom = i64x2.extmul_low_i32x4_u(lows, lows);
  const cross = i64x2.extmul_low_i32x4_u(lows, highs);
  const low = i64x2.add(bottom, i64x2.shl(cross, 33));
  const lowSigned = v128.xor(low, sign);
  const carry = i64x2.gt_s(v128.xor(bottom, sign), lowSigned);
  const square = i64x2.extmul_low_i32x4_u(highs, highs);
  const high = i64x2.sub(i64x2.add(square, i64x2.shr_u(cross, 31)), carry);
  // from here on as reduceProduct
  const top = i64x2.shr_u(high, 32);
  const borrow = i64x2.shr_u(i64x2.gt_s(v128.xor(top, sign), lowSigned), 32);
  const difference = i64x2.sub(i64x2.sub(low, top), borrow);
  const middle = i64x2.shl(high, 32);
  const shifted = i64x2.sub(middle, i64x2.shr_u(middle, 32));
  const sum = i64x2.add(difference, shifted);
  const over = i64x2.gt_s(v128.xor(shifted, sign), v128.xor(sum, sign));
  return i64x2.add(sum, i64x2.shr_u(over, 32));
}

@inline
export function power7(a: u64): u64 {
  const a2 = square(a);
  return multiply(multiply(a2, a), square(a2));
}

/** a / 2. */
@inline
export function halve(a: u64): u64 {
  return (a >> 1) + ((a & 1) * HALF);
}

/**
 * high * 2^32 + low, for sums of 32-bit halves: low and high below 2^48.
 * Linear layers add the halves of many elements without carries and reduce once.
 */
@inline
export function joinHalves(low: u64, high: u64): u64 {
  const shifted = high << 32;
  const sum = shifted + (low + (high >> 32) * EPSILON);
  return sum + (sum < shifted ? EPSILON : 0);
}
