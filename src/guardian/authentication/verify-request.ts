/** Verification of a whole signed request, as CPU work for a computation thread. */
import { hexToBytes } from '@noble/hashes/utils.js';

import { authenticationLimits } from '../../limits.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../networks/miden/falcon/parameters.ts';
import { wordFromHex } from '../networks/miden/word.ts';
import type { SignatureScheme } from '../networks/network.ts';
import type { RequestSigner, SignedRequest } from './signed-request.ts';
import { lookupMessage } from './lookup-message.ts';
import { requestMessage } from './request-message.ts';
import { AuthenticationError, namesOfSigner, verifySignedMessage } from './signature.ts';

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
  const { scheme, authorized } = claim;
  const isNameRequired = claim.payload.length > authenticationLimits.hashedForAnybody;
  return verifySignedMessage({ scheme, authorized, isNameRequired, ...signedParts(claim) });
}

/**
 * Who signed a request to an account that nothing is known about yet. A signature of Falcon's size
 * is Falcon's; whether the scheme and the key are the account's is for the caller to find out.
 * @throws AuthenticationError when it is nobody's signature.
 */
export function signerOfRequest(request: SignedRequest): RequestSigner {
  const parts = signedParts(request);
  const scheme = parts.signature.length === SIGNATURE_BYTES ? 'falcon' : 'ecdsa';
  return { scheme, names: namesOfSigner({ scheme, ...parts }) };
}

function signedParts({ accountId, timestamp, payload, signature, publicKey }: SignedRequest) {
  return {
    message: () => requestMessage(accountId, timestamp, payload),
    signature: headerBytes('x-signature', signature, SIGNATURE_BYTES),
    // 32 bytes are a commitment instead of a key: they name a signer but prove nothing.
    publicKey: headerBytes('x-pubkey', publicKey, PUBLIC_KEY_BYTES),
  };
}

/** A word that somebody signed: a cosigner over a transaction summary. */
export interface MessageClaim {
  scheme: SignatureScheme;
  /** `0x` + 64 hex digits. */
  message: string;
  /** Hex; so is the key, which may be empty. */
  signature: string;
  publicKey: string;
  /** Key commitments, `0x` + 64 lower-case hex digits. */
  authorized: readonly string[];
}

/**
 * @returns the signer's key commitment, a member of `authorized`.
 * @throws AuthenticationError
 */
export function verifyMessage(claim: MessageClaim): string {
  return verifySignedMessage({
    scheme: claim.scheme,
    message: () => wordFromHex(claim.message),
    signature: headerBytes('signature', claim.signature, SIGNATURE_BYTES),
    publicKey: headerBytes('public_key', claim.publicKey, PUBLIC_KEY_BYTES),
    authorized: claim.authorized,
  });
}

/** A signed look-up of the accounts of a key (protocol §2.8). */
export interface LookupClaim {
  /** Unix milliseconds, 64 bits. */
  timestamp: bigint;
  /** `0x` + 64 lower-case hex digits. */
  keyCommitment: string;
  signature: string;
}

/**
 * The key comes out of the signature and must be the one that is looked up.
 * @returns the key commitment.
 * @throws AuthenticationError
 */
export function verifyLookup({ timestamp, keyCommitment, signature }: LookupClaim): string {
  const bytes = headerBytes('x-signature', signature, SIGNATURE_BYTES);
  return verifySignedMessage({
    scheme: bytes.length === SIGNATURE_BYTES ? 'falcon' : 'ecdsa',
    message: () => lookupMessage(timestamp, keyCommitment),
    signature: bytes,
    authorized: [keyCommitment],
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
