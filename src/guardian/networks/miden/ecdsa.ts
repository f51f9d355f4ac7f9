/** ECDSA over secp256k1 as Miden signs with it: `ecdsa_k256_keccak` (protocol dossier §2.6). */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

import { hashElements } from './hash/poseidon2.ts';
import { type Word, wordToBytes } from './word.ts';

/** Big-endian r, big-endian s, recovery id 0 to 3. */
export const ECDSA_SIGNATURE_BYTES = 65;
const ECDSA_PUBLIC_KEY_BYTES = 33;
const MAX_RECOVERY_ID = 3;

/**
 * The names a key has in accounts: `native` since miden-crypto 0.28 (protocol 0.16), `packed`
 * up to 0.27 (protocol 0.15).
 *
 * An account may hold either, and accepting both is safe: each form writes the whole point, so
 * each is injective over keys, and they hash 16 and 9 elements, lengths that the sponge keeps
 * apart. A second key that matches one commitment would be a Poseidon2 collision.
 */
export interface EcdsaCommitments {
  native: Word;
  packed: Word;
}

/**
 * @param publicKey 33 bytes, SEC1 compressed.
 * @returns null when the bytes are not a point of the curve.
 */
export function ecdsaCommitments(publicKey: Uint8Array): EcdsaCommitments | null {
  if (publicKey.length !== ECDSA_PUBLIC_KEY_BYTES) return null;
  let point: { x: bigint; y: bigint };
  try {
    point = secp256k1.Point.fromBytes(publicKey).toAffine();
  } catch {
    return null;
  }
  return {
    native: hashElements([...limbs(point.x), ...limbs(point.y)]),
    packed: hashElements(packedBytes(publicKey)),
  };
}

/** Eight 32-bit limbs, least significant first. */
function limbs(coordinate: bigint): bigint[] {
  return Array.from({ length: 8 }, (_, i) => (coordinate >> BigInt(32 * i)) & 0xffffffffn);
}

/** Little-endian 32-bit elements; the last one holds what is left. */
function packedBytes(bytes: Uint8Array): bigint[] {
  const elements = Array.from({ length: Math.ceil(bytes.length / 4) }, () => 0n);
  bytes.forEach((byte, i) => {
    elements[i >> 2]! |= BigInt(byte) << BigInt(8 * (i & 3));
  });
  return elements;
}

/** Whether the bytes can be a signature at all: length, recovery id, scalars in range, low s. */
export function isEcdsaSignature(signature: Uint8Array): boolean {
  if (signature.length !== ECDSA_SIGNATURE_BYTES) return false;
  try {
    return !secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact').hasHighS();
  } catch {
    return false;
  }
}

/**
 * The key under which `signature` is a valid signature of `message`, 33 bytes compressed.
 * @returns null for another length or recovery id, a high s (it would give one signature two
 *   encodings), or scalars without a key.
 */
export function recoverEcdsaKey(message: Word, signature: Uint8Array): Uint8Array | null {
  const recovery = signature[64];
  if (signature.length !== ECDSA_SIGNATURE_BYTES || recovery! > MAX_RECOVERY_ID) return null;
  const scalars = signature.subarray(0, 64);
  try {
    if (secp256k1.Signature.fromBytes(scalars, 'compact').hasHighS()) return null;
    return secp256k1.recoverPublicKey(Uint8Array.of(recovery!, ...scalars), digest(message), {
      prehash: false,
    });
  } catch {
    return null;
  }
}

/** Whether the scalars sign `message` under this key, whatever the recovery id says. */
export function verifyEcdsa(message: Word, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== ECDSA_SIGNATURE_BYTES) return false;
  try {
    return secp256k1.verify(signature.subarray(0, 64), digest(message), publicKey, {
      prehash: false,
      lowS: true,
      format: 'compact',
    });
  } catch {
    return false;
  }
}

/** Deterministic (RFC 6979), low s: 65 bytes. */
export function signEcdsa(secretKey: Uint8Array, message: Word): Uint8Array {
  const recovered = secp256k1.sign(digest(message), secretKey, {
    prehash: false,
    lowS: true,
    format: 'recovered',
  });
  return Uint8Array.of(...recovered.subarray(1), recovered[0]!);
}

/** A fresh secret key: 32 bytes. */
export function generateEcdsaKey(): Uint8Array {
  return secp256k1.utils.randomSecretKey();
}

/** @throws Error when the bytes are not a secret key; the text does not quote them. */
export function ecdsaPublicKey(secretKey: Uint8Array): Uint8Array {
  if (!secp256k1.utils.isValidSecretKey(secretKey)) throw new Error('not an ECDSA secret key');
  return secp256k1.getPublicKey(secretKey, true);
}

function digest(message: Word): Uint8Array {
  return keccak_256(wordToBytes(message));
}
