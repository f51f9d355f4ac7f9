/** Falcon-512 as Miden uses it (Falcon specification 1.2; protocol dossier §2.5). */

/** Degree of the ring Z_q[x]/(x^512 + 1). */
export const N = 512;
export const LOG_N = 9;
export const Q = 12289;

/** Largest squared norm of (s1, s2), exclusive. */
export const NORM_BOUND = 34_034_726;
/** Larger coefficients of s2 have no encoding. */
export const MAX_S2_COEFFICIENT = 2047;

export const PUBLIC_KEY_BYTES = 897;
export const SECRET_KEY_BYTES = 1281;
export const S2_BYTES = 625;
/** Header, nonce version, s2, public key. */
export const SIGNATURE_BYTES = 2 + S2_BYTES + PUBLIC_KEY_BYTES;

export const PUBLIC_KEY_HEADER = LOG_N;
export const SECRET_KEY_HEADER = 0x50 | LOG_N;
export const SIGNATURE_HEADER = 0xb0 | LOG_N;
/** The only nonce there is: it is fixed, so that signing is a function of key and message. */
export const NONCE_VERSION = 1;
