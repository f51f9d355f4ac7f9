/** The Goldilocks prime 2^64 - 2^32 + 1: the order of Miden's base field. */
export const P = 0xffffffff00000001n;
