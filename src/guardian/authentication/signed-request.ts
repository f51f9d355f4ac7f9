import type { SignatureScheme } from '../networks/network.ts';

/** What a signed request brings along (protocol §1.1). */
export interface SignedRequest {
  accountId: string;
  /** Canonical JSON of the body or of the query object (protocol §2.3). */
  payload: string;
  publicKey: string;
  signature: string;
  /** Unix milliseconds, 64 bits. */
  timestamp: bigint;
}

/** Verifies request signatures away from the event loop. */
export interface RequestVerifier {
  /**
   * @returns the key commitment of the signer, one of `authorized`.
   * @throws AuthenticationError
   */
  verifyRequest(
    request: SignedRequest & { scheme: SignatureScheme; authorized: readonly string[] },
  ): Promise<string>;
  /** @throws AuthenticationError when it is nobody's signature. */
  signerOfRequest(request: SignedRequest): Promise<RequestSigner>;
}

/** Whose signature a request carries, whether or not this signer may do anything. */
export interface RequestSigner {
  scheme: SignatureScheme;
  /** Commitments of the key, `0x` + 64 lower-case hex digits; at least one. */
  names: string[];
}

/** The stored account as authentication needs it. */
export interface StoredAuth {
  auth_version: bigint;
  auth_scheme: SignatureScheme;
  signer_commitments: string[];
  commitment: string;
}
