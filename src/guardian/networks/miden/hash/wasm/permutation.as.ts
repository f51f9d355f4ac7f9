// Entry point: the sponge and the Merkle folding around the two permutations.
import { EMPTY_ROOTS, INPUT, STATE } from './layout.as';
import { poseidon2Permute } from './poseidon2.as';
import { rpoPermute } from './rpo.as';

export {
  EMPTY_ROOTS,
  INPUT,
  INPUT_ELEMENTS,
  POSEIDON2_CONSTANTS,
  RPO_CONSTANTS,
  STATE,
} from './layout.as';
export { poseidon2Permute, rpoPermute };

@inline
function copyWord(to: usize, from: usize): void {
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
  store<u64>(to, load<u64>(from, 16), 16);
  store<u64>(to, load<u64>(from, 24), 24);
}

/** Clears the state; `remainder` is the number of elements to come, mod 8. */
export function begin(remainder: u32, domain: u64): void {
  memory.fill(STATE, 0, 96);
  store<u64>(STATE, remainder, 64);
  store<u64>(STATE, domain, 72);
}

/** Absorbs `count` elements of INPUT: the rate is overwritten, a last partial block zero-filled. */
function absorb(count: i32, isRpo: bool): void {
  let from = INPUT;
  for (let left = count; left > 0; left -= 8) {
    const bytes: usize = 8 * min(left, 8);
    memory.copy(STATE, from, bytes);
    memory.fill(STATE + bytes, 0, 64 - bytes);
    from += bytes;
    if (isRpo) rpoPermute();
    else poseidon2Permute();
  }
}

export function absorbPoseidon2(count: i32): void {
  absorb(count, false);
}

export function absorbRpo(count: i32): void {
  absorb(count, true);
}

/** Hashes the two words in the rate. */
export function merge(domain: u64): void {
  store<u64>(STATE, 0, 64);
  store<u64>(STATE, domain, 72);
  store<u64>(STATE, 0, 80);
  store<u64>(STATE, 0, 88);
  poseidon2Permute();
}

/** Fills EMPTY_ROOTS: the zero word at height 0, then each the hash of twice the one before. */
export function fillEmptyRoots(): void {
  memory.fill(EMPTY_ROOTS, 0, 32);
  for (let height: usize = 0; height < 64; height++) {
    const child = EMPTY_ROOTS + 32 * height;
    copyWord(STATE, child);
    copyWord(STATE + 32, child);
    merge(0);
    copyWord(child + 32, STATE);
  }
}

/**
 * Lifts the digest in STATE from the node of height `from` above leaf `index` to its ancestor of
 * height `to`, all other subtrees of which are empty.
 */
export function lift(indexLow: u32, indexHigh: u32, from: i32, to: i32): void {
  const index = (<u64>indexHigh << 32) | indexLow;
  for (let height = from; height < to; height++) {
    const empty = EMPTY_ROOTS + 32 * <usize>height;
    if ((index >> height) & 1) {
      copyWord(STATE + 32, STATE);
      copyWord(STATE, empty);
    } else {
      copyWord(STATE + 32, empty);
    }
    merge(0);
  }
}
