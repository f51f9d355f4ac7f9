/** Hash-to-point of Miden's Falcon: a Poseidon2 sponge over the fixed nonce and the message. */
import { permute } from '../hash/poseidon2.ts';
import type { Word } from '../word.ts';
import { LOG_N, N, NONCE_VERSION, Q } from './parameters.ts';

const RATE = 8;

/** Poseidon2 state after absorbing the nonce: the same for every message. */
const AFTER_NONCE = absorbNonce();

/** 40 bytes (version, log2 n, tag, zeros) as eight elements of five little-endian bytes. */
function absorbNonce(): BigUint64Array {
  const nonce = new Uint8Array(40);
  nonce.set([NONCE_VERSION, LOG_N]);
  nonce.set(new TextEncoder().encode('FALCON-POSEIDON2-DET'), 2);
  const state = new BigUint64Array(12);
  for (let i = 0; i < nonce.length; i += 1) {
    const element = Math.floor(i / 5);
    state[element]! |= BigInt(nonce[i]!) << BigInt(8 * (i % 5));
  }
  permute(state);
  return state;
}

/** The challenge polynomial c of a message: 512 coefficients in [0, q). */
export function hashToPoint(message: Word): Int32Array {
  const state = AFTER_NONCE.slice();
  state.set(message);
  const point = new Int32Array(N);
  for (let at = 0; at < N; at += RATE) {
    permute(state);
    for (let i = 0; i < RATE; i += 1) point[at + i] = Number(state[i]! % BigInt(Q));
  }
  return point;
}
