/** Falcon-512 secret keys: decoding, the lattice basis and its LDL tree, generation. */
import { falcon512 } from '@noble/post-quantum/falcon.js';

import { FalconEncodingError } from './codec.ts';
import {
  add,
  type ComplexPoly,
  conjugate,
  divide,
  multiply,
  split,
  subtract,
  transformed,
  zeros,
} from './complex.ts';
import { N, Q, SECRET_KEY_BYTES, SECRET_KEY_HEADER } from './parameters.ts';
import { centred, inverse, inverseTransform, residues, transform } from './ring.ts';
import { SIGMA } from './sampler.ts';

/** Bits of a coefficient of f and g, and of F, in the encoding. */
const SMALL_BITS = 6;
const LARGE_BITS = 8;

/** The rows (g, f) and (G, F) of the basis, with the signs of Miden's Rust library. */
export type Basis = readonly [ComplexPoly, ComplexPoly, ComplexPoly, ComplexPoly];

export type LdlTree =
  { leaf: false; l: ComplexPoly; left: LdlTree; right: LdlTree } | { leaf: true; sigma: number };

/** A key ready to sign. Not serializable on purpose: only `bytes` of the original travel. */
export interface FalconSecretKey {
  bytes: Uint8Array;
  /** 512 coefficients in [0, q). */
  publicKey: Int32Array;
  basis: Basis;
  tree: LdlTree;
}

/** A fresh secret key, 1281 bytes, from the runtime's random source. */
export function generateSecretKey(): Uint8Array {
  return falcon512.keygen().secretKey;
}

/**
 * Reads a 1281-byte secret key (f, g, F; G follows from them) and prepares it for signing.
 * @throws FalconEncodingError without quoting the key.
 */
export function decodeSecretKey(bytes: Uint8Array): FalconSecretKey {
  if (bytes.length !== SECRET_KEY_BYTES || bytes[0] !== SECRET_KEY_HEADER) {
    throw new FalconEncodingError('not a Falcon-512 secret key');
  }
  const smallBytes = (N * SMALL_BITS) / 8;
  const f = decodeSigned(bytes.subarray(1, 1 + smallBytes), SMALL_BITS);
  const g = decodeSigned(bytes.subarray(1 + smallBytes, 1 + 2 * smallBytes), SMALL_BITS);
  const F = decodeSigned(bytes.subarray(1 + 2 * smallBytes), LARGE_BITS);

  const fHat = transform(residues(f));
  const gHat = transform(residues(g));
  const FHat = transform(residues(F));
  const publicKey = new Int32Array(N);
  const G = new Int32Array(N);
  for (let i = 0; i < N; i += 1) {
    if (fHat[i] === 0) throw new FalconEncodingError('the secret key is not invertible');
    publicKey[i] = (gHat[i]! * inverse(fHat[i]!)) % Q;
    G[i] = (publicKey[i]! * FHat[i]!) % Q;
  }
  inverseTransform(publicKey);
  const basis: Basis = [
    transformed(g),
    transformed(f),
    transformed(inverseTransform(G).map(centred)),
    transformed(F),
  ];
  return { bytes: bytes.slice(), publicKey, basis, tree: ldlTree(gram(basis)) };
}

/** Two's complement coefficients, most significant bit first; the most negative is reserved. */
function decodeSigned(bytes: Uint8Array, bits: number): Int32Array {
  const coefficients = new Int32Array(N);
  const sign = 1 << (bits - 1);
  let buffer = 0;
  let available = 0;
  let count = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    available += 8;
    for (; available >= bits; count += 1) {
      available -= bits;
      const value = (buffer >> available) & (2 * sign - 1);
      if (value === sign) throw new FalconEncodingError('a secret coefficient is out of range');
      coefficients[count] = value >= sign ? value - 2 * sign : value;
    }
  }
  return coefficients;
}

type Gram = readonly [ComplexPoly, ComplexPoly, ComplexPoly, ComplexPoly];

/** basis · basis*, row by row. */
function gram(basis: Basis): Gram {
  const entry = (i: 0 | 2, j: 0 | 2): ComplexPoly => {
    const first = add(zeros(N), multiply(basis[i], conjugate(basis[j])));
    return add(first, multiply(basis[i === 0 ? 1 : 3], conjugate(basis[j === 0 ? 1 : 3])));
  };
  return [entry(0, 0), entry(0, 2), entry(2, 0), entry(2, 2)];
}

/** LDL decomposition, recursively, with normalized leaves (algorithms 8 and 9). */
function ldlTree(g: Gram): LdlTree {
  const l = divide(g[2], g[0]);
  const d11 = subtract(g[3], multiply(g[0], multiply(l, conjugate(l))));
  if (l.re.length === 2) {
    return { leaf: false, l, left: leafOf(g[0]), right: leafOf(d11) };
  }
  return { leaf: false, l, left: subtree(g[0]), right: subtree(d11) };
}

function subtree(d: ComplexPoly): LdlTree {
  const [even, odd] = split(d);
  return ldlTree([even, odd, conjugate(odd), even]);
}

function leafOf(d: ComplexPoly): LdlTree {
  return { leaf: true, sigma: SIGMA / Math.sqrt(d.re[0]!) };
}
