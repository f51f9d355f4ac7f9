/** Who signed a word, given who may (protocol dossier §2.5 and §2.6). */
import { bytesToHex } from '@noble/hashes/utils.js';
import { decodeSignature, FalconEncodingError } from '../networks/miden/falcon/codec.ts';
import { publicKeyCommitment, verifySignature } from '../networks/miden/falcon/verify.ts';
import {
  ecdsaCommitments,
  isEcdsaSignature,
  recoverEcdsaKey,
  verifyEcdsa,
} from '../networks/miden/ecdsa.ts';
import { type Word, wordToHex } from '../networks/miden/word.ts';
import type { SignatureScheme } from '../networks/network.ts';

/** Size of a word. */
const COMMITMENT_BYTES = 32;

/** The signature is not one of an authorized signer. Clients learn no more than that. */
export class AuthenticationError extends Error {
  override name = 'AuthenticationError';
}

export interface SignatureClaim {
  scheme: SignatureScheme;
  /** Computed only when the rest is worth it: hashing a large body costs more than the curve. */
  message: () => Word;
  signature: Uint8Array;
  /** What the client calls its key, or its commitment; only ECDSA looks at it. */
  publicKey?: Uint8Array;
  /** The key has to be named: computing the message costs too much to do it for anybody. */
  isNameRequired?: boolean;
  /** Key commitments, `0x` + 64 lower-case hex digits. */
  authorized: readonly string[];
}

/**
 * Cheap checks come first: form, then whether the key may sign at all, then the signature.
 * @returns the signer's key commitment: the member of `authorized` that names its key.
 * @throws AuthenticationError
 */
export function verifySignedMessage(claim: SignatureClaim): string {
  return claim.scheme === 'falcon' ? verifyFalconClaim(claim) : verifyEcdsaClaim(claim);
}

function verifyFalconClaim({ message, signature, authorized }: SignatureClaim): string {
  const decoded = decodeFalcon(signature);
  const signer = wordToHex(publicKeyCommitment(decoded.publicKey));
  if (!authorized.includes(signer)) throw new AuthenticationError('the key is not authorized');
  if (!verifySignature(message(), decoded)) {
    throw new AuthenticationError('the signature is not valid');
  }
  return signer;
}

function decodeFalcon(signature: Uint8Array): ReturnType<typeof decodeSignature> {
  try {
    return decodeSignature(signature);
  } catch (error) {
    if (error instanceof FalconEncodingError) throw new AuthenticationError(error.message);
    throw error;
  }
}

/**
 * A recovered key needs no second verification: recovery yields exactly the key under which
 * (r, s) is valid. The client's key is the fall-back for a wrong recovery id.
 */
function verifyEcdsaClaim(claim: SignatureClaim): string {
  if (!isEcdsaSignature(claim.signature)) throw new AuthenticationError('not a signature');
  if (claim.isNameRequired && !namesAuthorized(claim)) {
    throw new AuthenticationError('the key is not authorized');
  }
  const message = claim.message();
  const recovered = recoverEcdsaKey(message, claim.signature);
  const signer = recovered && authorizedName(recovered, claim.authorized);
  if (signer) return signer;

  const { publicKey } = claim;
  const named = publicKey && authorizedName(publicKey, claim.authorized);
  if (!named) throw new AuthenticationError('the key is not authorized');
  if (!verifyEcdsa(message, claim.signature, publicKey)) {
    throw new AuthenticationError('the signature is not valid');
  }
  return named;
}

/** Whether x-pubkey names somebody who may sign: as a key, or as the commitment of one. */
function namesAuthorized({ publicKey = new Uint8Array(), authorized }: SignatureClaim): boolean {
  const named =
    publicKey.length === COMMITMENT_BYTES ? [`0x${bytesToHex(publicKey)}`] : ecdsaNames(publicKey);
  return named.some((name) => authorized.includes(name));
}

function authorizedName(publicKey: Uint8Array, authorized: readonly string[]): string | undefined {
  return ecdsaNames(publicKey).find((name) => authorized.includes(name));
}

/** Both commitments of an ECDSA key, the native one first; none for bytes that are no key. */
function ecdsaNames(publicKey: Uint8Array): string[] {
  const commitments = ecdsaCommitments(publicKey);
  return commitments ? [commitments.native, commitments.packed].map(wordToHex) : [];
}

/**
 * Who signed, when it is not known yet who may: whoever asks decides that later.
 * @returns the commitments that the signer's key has; one for Falcon. For ECDSA the recovered
 *   key's, then those of the client's key if it is another one and the signature is its own.
 * @throws AuthenticationError when it is nobody's signature.
 */
export function namesOfSigner(claim: Omit<SignatureClaim, 'authorized'>): string[] {
  if (claim.scheme === 'falcon') {
    const decoded = decodeFalcon(claim.signature);
    if (!verifySignature(claim.message(), decoded)) {
      throw new AuthenticationError('the signature is not valid');
    }
    return [wordToHex(publicKeyCommitment(decoded.publicKey))];
  }
  if (!isEcdsaSignature(claim.signature)) throw new AuthenticationError('not a signature');
  const message = claim.message();
  const recovered = recoverEcdsaKey(message, claim.signature);
  const names = recovered ? ecdsaNames(recovered) : [];
  const { publicKey } = claim;
  const others = publicKey ? ecdsaNames(publicKey).filter((name) => !names.includes(name)) : [];
  if (publicKey && others.length > 0 && verifyEcdsa(message, claim.signature, publicKey)) {
    names.push(...others);
  }
  if (names.length === 0) throw new AuthenticationError('the signature is not valid');
  return names;
}
