/**
 * What Guardian needs to know about a chain. An adapter either knows or refuses:
 * it never guesses a commitment (protocol dossier, adapter boundary).
 *
 * Commitments and keys cross this boundary as text: `0x` + lower-case hex.
 */

export type SignatureScheme = 'falcon' | 'ecdsa';

/** Facts read out of an account's serialized state. */
export interface InspectedAccount {
  /** `0x` + 30 hex digits. */
  accountId: string;
  /** Account commitment of exactly this state. */
  commitment: string;
  /** The account's own transaction counter (not the `nonce` of a delta request). */
  nonce: bigint;
  protocol: '0.15' | '0.16';
  /** Key commitments of the cosigners in the account's own order; empty when none are stored. */
  signerCommitments: string[];
  /** Signatures needed, or null when the account stores no threshold. */
  threshold: number | null;
  /** Key commitment of the guardian the account is bound to, or null. */
  guardianCommitment: string | null;
}

/** The result of applying a delta to a stored state. */
export interface AppliedDelta {
  /** Commitment of the transaction summary: what cosigners and the guardian sign. */
  summaryCommitment: string;
  /** Facts about the resulting account, its commitment included. */
  account: InspectedAccount;
  /** Serialized resulting state. */
  state: Uint8Array;
}

/** The account's state or delta cannot be verified. `message` is safe to show to a client. */
export class UnverifiableError extends Error {
  override name = 'UnverifiableError';
}

export interface Network {
  /** @throws UnverifiableError when the bytes are not an account we can verify. */
  inspectAccount(state: Uint8Array): Promise<InspectedAccount>;
  /**
   * Applies a transaction summary to a stored state.
   * @throws UnverifiableError when the summary does not parse, names another account,
   *   does not fit the state, or holds assets or notes (no trustworthy vectors exist yet).
   */
  applyDelta(input: {
    accountId: string;
    state: Uint8Array;
    summary: Uint8Array;
  }): Promise<AppliedDelta>;
  /**
   * The account's commitment on chain now; null while the account is not on chain.
   * @throws ChainError for every failure of the node: never evidence about the account.
   */
  commitmentOnChain(accountId: string): Promise<string | null>;
}

/** The node did not answer, or not as the protocol says. Says nothing about the account. */
export class ChainError extends Error {
  override name = 'ChainError';
}
