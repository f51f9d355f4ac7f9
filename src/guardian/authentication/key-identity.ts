/** What a public key is called (protocol dossier §2.5 and §2.6). */
import { decodePublicKey, FalconEncodingError } from '../networks/miden/falcon/codec.ts';
import { PUBLIC_KEY_BYTES } from '../networks/miden/falcon/parameters.ts';
import { publicKeyCommitment } from '../networks/miden/falcon/verify.ts';
import { ecdsaCommitments } from '../networks/miden/ecdsa.ts';
import { wordToHex } from '../networks/miden/word.ts';
import type { SignatureScheme } from '../networks/network.ts';

/**
 * Scheme and commitment of a key: 897 bytes are Falcon, 33 are ECDSA.
 * @returns undefined for bytes that are no key.
 */
export function keyIdentity(
  key: Uint8Array,
): { scheme: SignatureScheme; commitment: string } | undefined {
  if (key.length !== PUBLIC_KEY_BYTES) {
    const commitments = ecdsaCommitments(key);
    return commitments ? { scheme: 'ecdsa', commitment: wordToHex(commitments.native) } : undefined;
  }
  try {
    return { scheme: 'falcon', commitment: wordToHex(publicKeyCommitment(decodePublicKey(key))) };
  } catch (error) {
    if (error instanceof FalconEncodingError) return undefined;
    throw error;
  }
}
