/** Who signed a word, given who may (protocol dossier §2.5 and §2.6). */
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

/** The signature is not one of an authorized signer. Clients learn no more than that. */
export class AuthenticationError extends Error {
  override name = 'AuthenticationError';
}

export interface SignatureClaim {
  scheme: SignatureScheme;
  /** Computed only when the rest is worth it: hashing a large body costs more than the curve. */
  message: () => Word;
  signature: Uint8Array;
  /** What the client calls its key; only ECDSA looks at it, when recovery finds no authorized key. */
  publicKey?: Uint8Array;
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

function authorizedName(publicKey: Uint8Array, authorized: readonly string[]): string | null {
  const commitments = ecdsaCommitments(publicKey);
  if (commitments === null) return null;
  for (const form of [commitments.native, commitments.packed]) {
    const name = wordToHex(form);
    if (authorized.includes(name)) return name;
  }
  return null;
}
