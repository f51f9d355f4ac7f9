// Where things live in linear memory, in bytes. The host reads the exported addresses.

/** 12 elements: rate 0..7, capacity 8..11; a digest is elements 0..3. */
export const STATE: usize = 1024;
export const STATE_END: usize = STATE + 96;
/** Four rows of 12 elements, used by the inverse S-box and the linear layers. */
export const SCRATCH: usize = 2048;
/** 4 * 12 + 22 + 4 * 12 round constants, written by the host. */
export const POSEIDON2_CONSTANTS: usize = 3072;
/** 7 rounds of 12 + 12 round constants, written by the host. */
export const RPO_CONSTANTS: usize = 4096;
/** Digest of the empty subtree of each height 0..64. */
export const EMPTY_ROOTS: usize = 8192;
/** Elements for the sponge, written by the host. */
export const INPUT: usize = 65536;
export const INPUT_ELEMENTS: i32 = 8192;
