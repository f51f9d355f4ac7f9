/** Verification of a whole signed request, as CPU work for a computation thread. */
import { hexToBytes } from '@noble/hashes/utils.js';

import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../networks/miden/falcon/parameters.ts';
import type { SignatureScheme } from '../networks/network.ts';
import type { SignedRequest } from './authenticate.ts';
import { requestMessage } from './request-message.ts';
import { AuthenticationError, verifySignedMessage } from './signature.ts';

/** A request with what is known about its account. */
export interface RequestClaim extends SignedRequest {
  scheme: SignatureScheme;
  /** Key commitments, `0x` + 64 lower-case hex digits. */
  authorized: readonly string[];
}

/**
 * @returns the signer's key commitment, a member of `authorized`.
 * @throws AuthenticationError
 */
export function verifyRequest(claim: RequestClaim): string {
  const { accountId, timestamp, payload } = claim;
  return verifySignedMessage({
    scheme: claim.scheme,
    message: () => requestMessage(accountId, timestamp, payload),
    signature: headerBytes('x-signature', claim.signature, SIGNATURE_BYTES),
    // 32 bytes are a commitment instead of a key: they name a signer but prove nothing.
    publicKey: headerBytes('x-pubkey', claim.publicKey, PUBLIC_KEY_BYTES),
    authorized: claim.authorized,
  });
}

/** Hex with or without `0x`; every scheme's bytes fit in Falcon's. */
function headerBytes(name: string, text: string, maxBytes: number): Uint8Array {
  const digits = /^(?:0x)?((?:[0-9a-fA-F]{2})*)$/.exec(text.slice(0, 2 * maxBytes + 3))?.[1];
  if (digits === undefined || digits.length > 2 * maxBytes) {
    throw new AuthenticationError(`${name} is not hex of the right size`);
  }
  return hexToBytes(digits);
}
