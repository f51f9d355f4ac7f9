/** Byte encodings of Falcon-512 public keys and signatures (Falcon specification §3.11). */
import {
  MAX_S2_COEFFICIENT,
  N,
  NONCE_VERSION,
  PUBLIC_KEY_BYTES,
  PUBLIC_KEY_HEADER,
  Q,
  S2_BYTES,
  SIGNATURE_BYTES,
  SIGNATURE_HEADER,
} from './parameters.ts';

/** Bytes that are not a Falcon key or signature. The text never quotes them. */
export class FalconEncodingError extends Error {
  override name = 'FalconEncodingError';
}

const COEFFICIENT_BITS = 14;
/** Of a compressed s2 coefficient; the rest is written in unary. */
const LOW_BITS = 7;

export interface FalconSignature {
  /** 512 signed coefficients. */
  s2: Int32Array;
  /** The key it carries: 512 coefficients in [0, q). */
  publicKey: Int32Array;
}

/** @throws FalconEncodingError */
export function decodePublicKey(bytes: Uint8Array): Int32Array {
  if (bytes.length !== PUBLIC_KEY_BYTES || bytes[0] !== PUBLIC_KEY_HEADER) {
    throw new FalconEncodingError('not a Falcon-512 public key');
  }
  const coefficients = new Int32Array(N);
  let buffer = 0;
  let bits = 0;
  let count = 0;
  for (let i = 1; i < PUBLIC_KEY_BYTES; i += 1) {
    // At most 13 bits are left over, so 22 bits never overflow.
    buffer = ((buffer << 8) | bytes[i]!) & 0x3fffff;
    bits += 8;
    if (bits < COEFFICIENT_BITS) continue;
    bits -= COEFFICIENT_BITS;
    const coefficient = (buffer >> bits) & 0x3fff;
    if (coefficient >= Q) throw new FalconEncodingError('a key coefficient is out of range');
    coefficients[count++] = coefficient;
  }
  return coefficients;
}

export function encodePublicKey(coefficients: Int32Array): Uint8Array {
  const bytes = new Uint8Array(PUBLIC_KEY_BYTES);
  bytes[0] = PUBLIC_KEY_HEADER;
  let buffer = 0;
  let bits = 0;
  let at = 1;
  for (const coefficient of coefficients) {
    buffer = ((buffer << COEFFICIENT_BITS) | coefficient) & 0x3fffff;
    bits += COEFFICIENT_BITS;
    for (; bits >= 8; at += 1) {
      bits -= 8;
      bytes[at] = buffer >> bits;
    }
  }
  return bytes;
}

/**
 * One signature has one encoding: a negative zero, a coefficient beyond 2047 and anything but
 * zeros behind the last coefficient are refused.
 * @throws FalconEncodingError
 */
function decodeS2(bytes: Uint8Array): Int32Array {
  if (bytes.length !== S2_BYTES) throw new FalconEncodingError('s2 is not 625 bytes');
  const coefficients = new Int32Array(N);
  const bits = new BitReader(bytes);
  for (let i = 0; i < N; i += 1) {
    const negative = bits.next() === 1;
    let magnitude = 0;
    for (let k = 0; k < LOW_BITS; k += 1) magnitude = (magnitude << 1) | bits.next();
    while (bits.next() === 0) {
      magnitude += 1 << LOW_BITS;
      if (magnitude > MAX_S2_COEFFICIENT) {
        throw new FalconEncodingError('an s2 coefficient is too large');
      }
    }
    if (negative && magnitude === 0) throw new FalconEncodingError('s2 has a negative zero');
    coefficients[i] = negative ? -magnitude : magnitude;
  }
  while (!bits.done) {
    if (bits.next() === 1) throw new FalconEncodingError('s2 has bits behind its last coefficient');
  }
  return coefficients;
}

/** Most significant bit first. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === 8 * this.#bytes.length;
  }

  next(): number {
    if (this.done) throw new FalconEncodingError('s2 is cut off');
    const bit = (this.#bytes[this.#at >> 3]! >> (7 - (this.#at & 7))) & 1;
    this.#at += 1;
    return bit;
  }
}

/** 625 bytes, or null when these coefficients do not fit. */
function encodeS2(coefficients: Int32Array): Uint8Array | null {
  const bytes = new Uint8Array(S2_BYTES);
  let at = 0;
  const put = (bit: number): void => {
    if (bit === 1 && at < 8 * S2_BYTES) bytes[at >> 3]! |= 0x80 >> (at & 7);
    at += 1;
  };
  for (const coefficient of coefficients) {
    const magnitude = Math.abs(coefficient);
    if (magnitude > MAX_S2_COEFFICIENT) return null;
    put(coefficient < 0 ? 1 : 0);
    for (let k = LOW_BITS - 1; k >= 0; k -= 1) put((magnitude >> k) & 1);
    at += magnitude >> LOW_BITS;
    put(1);
  }
  return at > 8 * S2_BYTES ? null : bytes;
}

/** @throws FalconEncodingError */
export function decodeSignature(bytes: Uint8Array): FalconSignature {
  if (bytes.length !== SIGNATURE_BYTES || bytes[0] !== SIGNATURE_HEADER) {
    throw new FalconEncodingError('not a Falcon-512 signature of 1524 bytes');
  }
  if (bytes[1] !== NONCE_VERSION) throw new FalconEncodingError('the nonce version is unknown');
  return {
    s2: decodeS2(bytes.subarray(2, 2 + S2_BYTES)),
    publicKey: decodePublicKey(bytes.subarray(2 + S2_BYTES)),
  };
}

/** 1524 bytes, or null when s2 does not fit into 625. */
export function encodeSignature(s2: Int32Array, publicKey: Int32Array): Uint8Array | null {
  const encoded = encodeS2(s2);
  if (encoded === null) return null;
  const bytes = new Uint8Array(SIGNATURE_BYTES);
  bytes.set([SIGNATURE_HEADER, NONCE_VERSION]);
  bytes.set(encoded, 2);
  bytes.set(encodePublicKey(publicKey), 2 + S2_BYTES);
  return bytes;
}
