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
