// Poseidon2 over 12 elements: 4 external, 22 internal, 4 external rounds, S-box x^7.
import { addCanonical, canonical, EPSILON, halve, joinHalves, power7 } from './goldilocks.as';
import { POSEIDON2_CONSTANTS, SCRATCH, STATE } from './layout.as';

// 8p written as halves that are each at least as large as 4 * (2^32 - 1): added before a
// subtraction, it keeps both halves of the difference from going below zero.
const OFFSET_LOW: u64 = 8 + (8 << 32);
const OFFSET_HIGH: u64 = (8 << 32) - 16;

/** One 4x4 block [[2,3,1,1],[1,2,3,1],[1,1,2,3],[3,1,1,2]] on the halves of four elements. */
@inline
function block(from: usize, to: usize, shift: u64, mask: u64): void {
  const a = (load<u64>(from) >> shift) & mask;
  const b = (load<u64>(from, 8) >> shift) & mask;
  const c = (load<u64>(from, 16) >> shift) & mask;
  const d = (load<u64>(from, 24) >> shift) & mask;
  const ab = a + b;
  const cd = c + d;
  const sum = ab + cd;
  store<u64>(to, sum + ab + b);
  store<u64>(to, sum + b + c + c, 8);
  store<u64>(to, sum + cd + d, 16);
  store<u64>(to, sum + d + a + a, 24);
}

/** The external linear layer circ(2M, M, M). */
function externalLayer(): void {
  for (let offset: usize = 0; offset < 96; offset += 32) {
    block(STATE + offset, SCRATCH + offset, 0, EPSILON);
    block(STATE + offset, SCRATCH + 96 + offset, 32, EPSILON);
  }
  for (let lane: usize = 0; lane < 32; lane += 8) {
    const at = SCRATCH + lane;
    const low0 = load<u64>(at);
    const low1 = load<u64>(at, 32);
    const low2 = load<u64>(at, 64);
    const high0 = load<u64>(at, 96);
    const high1 = load<u64>(at, 128);
    const high2 = load<u64>(at, 160);
    const low = low0 + low1 + low2;
    const high = high0 + high1 + high2;
    store<u64>(STATE + lane, joinHalves(low + low0, high + high0));
    store<u64>(STATE + lane, joinHalves(low + low1, high + high1), 32);
    store<u64>(STATE + lane, joinHalves(low + low2, high + high2), 64);
  }
}

function externalRounds(constants: usize): void {
  for (let round = 0; round < 4; round++) {
    for (let lane: usize = 0; lane < 96; lane += 8) {
      const at = STATE + lane;
      store<u64>(at, power7(addCanonical(load<u64>(at), load<u64>(constants + lane))));
    }
    externalLayer();
    constants += 96;
  }
}

@inline
function low(a: u64): u64 {
  return a & EPSILON;
}

@inline
function high(a: u64): u64 {
  return a >> 32;
}

/** factor * a + sum, where `sum` comes as halves. */
@inline
function times(a: u64, factor: u64, sumLow: u64, sumHigh: u64): u64 {
  return joinHalves(low(a) * factor + sumLow, high(a) * factor + sumHigh);
}

/** sum - factor * a, factor at most 4. */
@inline
function minus(a: u64, factor: u64, sumLow: u64, sumHigh: u64): u64 {
  return joinHalves(
    sumLow + OFFSET_LOW - low(a) * factor,
    sumHigh + OFFSET_HIGH - high(a) * factor,
  );
}

/** The diagonal is [-2, 1, 2, 1/2, 3, 4, -1/2, -3, -4, 1/4, -1/4, 1/8], plus all ones. */
function internalRounds(constants: usize): void {
  let s0 = load<u64>(STATE);
  let s1 = load<u64>(STATE, 8);
  let s2 = load<u64>(STATE, 16);
  let s3 = load<u64>(STATE, 24);
  let s4 = load<u64>(STATE, 32);
  let s5 = load<u64>(STATE, 40);
  let s6 = load<u64>(STATE, 48);
  let s7 = load<u64>(STATE, 56);
  let s8 = load<u64>(STATE, 64);
  let s9 = load<u64>(STATE, 72);
  let s10 = load<u64>(STATE, 80);
  let s11 = load<u64>(STATE, 88);
  for (let round = 0; round < 22; round++) {
    s0 = power7(addCanonical(s0, load<u64>(constants)));
    constants += 8;
    const l = low(s1) + low(s2) + low(s3) + low(s4) + low(s5) + low(s6) + low(s7) + low(s8) +
      low(s9) + low(s10) + low(s11) + low(s0);
    const h = high(s1) + high(s2) + high(s3) + high(s4) + high(s5) + high(s6) + high(s7) +
      high(s8) + high(s9) + high(s10) + high(s11) + high(s0);
    s0 = minus(s0, 2, l, h);
    s1 = times(s1, 1, l, h);
    s2 = times(s2, 2, l, h);
    s3 = times(halve(s3), 1, l, h);
    s4 = times(s4, 3, l, h);
    s5 = times(s5, 4, l, h);
    s6 = minus(halve(s6), 1, l, h);
    s7 = minus(s7, 3, l, h);
    s8 = minus(s8, 4, l, h);
    s9 = times(halve(halve(s9)), 1, l, h);
    s10 = minus(halve(halve(s10)), 1, l, h);
    s11 = times(halve(halve(halve(s11))), 1, l, h);
  }
  store<u64>(STATE, s0);
  store<u64>(STATE, s1, 8);
  store<u64>(STATE, s2, 16);
  store<u64>(STATE, s3, 24);
  store<u64>(STATE, s4, 32);
  store<u64>(STATE, s5, 40);
  store<u64>(STATE, s6, 48);
  store<u64>(STATE, s7, 56);
  store<u64>(STATE, s8, 64);
  store<u64>(STATE, s9, 72);
  store<u64>(STATE, s10, 80);
  store<u64>(STATE, s11, 88);
}

/** Permutes STATE in place; the result is canonical. */
export function poseidon2Permute(): void {
  externalLayer();
  externalRounds(POSEIDON2_CONSTANTS);
  internalRounds(POSEIDON2_CONSTANTS + 4 * 96);
  externalRounds(POSEIDON2_CONSTANTS + 4 * 96 + 22 * 8);
  for (let at = STATE; at < STATE + 96; at += 8) store<u64>(at, canonical(load<u64>(at)));
}
