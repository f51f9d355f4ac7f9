import type { StoredAuth } from '../authentication/signed-request.ts';
import { AuthenticationError } from '../authentication/signature.ts';
import type { GuardianContext } from '../context.ts';
import type { ProposalSignature } from './wire.ts';

/**
 * Verifies a cosigner's signature over the commitment of a summary. The signer's id comes from
 * the key that signed, never from what the request says.
 * @returns the cosigner's key commitment, or undefined when the signature is not one of theirs.
 */
export async function verifyCosigner(
  context: GuardianContext,
  stored: StoredAuth,
  commitment: string,
  signature: ProposalSignature,
): Promise<string | undefined> {
  try {
    return await context.signatures.verifyMessage({
      scheme: signature.scheme,
      message: commitment,
      signature: signature.signature,
      publicKey: ('public_key' in signature ? signature.public_key : null) ?? '',
      authorized: stored.signer_commitments,
    });
  } catch (error) {
    if (error instanceof AuthenticationError) return undefined;
    throw error;
  }
}
