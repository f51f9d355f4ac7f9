/** The CPU work of the Miden network, wherever it runs. */
import type {
  LookupClaim,
  MessageClaim,
  RequestClaim,
} from '../../../authentication/verify-request.ts';
import type { RequestSigner, SignedRequest } from '../../../authentication/signed-request.ts';
import type { AppliedDelta, InspectedAccount, SignatureScheme } from '../../network.ts';
import type { AccountOrigin } from '../codec/account.ts';
import type { DescribedSummary } from '../summary/describe.ts';

export interface DeltaInput {
  /** `0x` + 30 hex digits. */
  accountId: string;
  /** Serialized account the delta applies to. */
  state: Uint8Array;
  /** Serialized transaction summary. */
  summary: Uint8Array;
}

export interface AcknowledgedDelta extends AppliedDelta {
  /** Signature over the summary commitment: hex without `0x`. */
  acknowledgement: string;
}

/** The work itself: plain functions of their input. */
export interface Operations {
  /** @throws AuthenticationError */
  verifyRequest(claim: RequestClaim): string;
  /** @throws AuthenticationError */
  signerOfRequest(request: SignedRequest): RequestSigner;
  /** Who signed a word. @throws AuthenticationError */
  verifyMessage(claim: MessageClaim): string;
  /** Who signed a look-up by key. @throws AuthenticationError */
  verifyLookup(claim: LookupClaim): string;
  /** @throws UnverifiableError */
  mergeDeltas(input: { state: Uint8Array; summaries: Uint8Array[] }): Uint8Array;
  /** What summaries do, for people; null for bytes that are no summary. */
  describeSummaries(input: { summaries: Uint8Array[] }): {
    described: (DescribedSummary | null)[];
  };
  /** @throws UnverifiableError */
  inspectAccount(input: { state: Uint8Array; origin: AccountOrigin }): InspectedAccount;
  /** @throws UnverifiableError */
  applyDelta(input: DeltaInput): AppliedDelta;
  /** @throws FalconSigningError */
  acknowledge(input: { scheme: SignatureScheme; summaryCommitment: string }): string;
  /** Both of the above in one step. @throws UnverifiableError, FalconSigningError */
  applyAndAcknowledge(input: DeltaInput & { scheme: SignatureScheme }): AcknowledgedDelta;
}

export type OperationName = keyof Operations;

/**
 * Runs operations, on other threads or on the calling one. Input bytes may be used again by the
 * caller at once; result bytes belong to it.
 *
 * Beyond what an operation throws: ComputeOverloadError, ComputeFailedError.
 */
export interface Compute {
  run<Name extends OperationName>(
    name: Name,
    input: Parameters<Operations[Name]>[0],
  ): Promise<ReturnType<Operations[Name]>>;
  /** Takes no more work, finishes what it has, and frees its threads. */
  close(): Promise<void>;
}
