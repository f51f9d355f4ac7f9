import type { Sql } from '../database/connect.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RememberedAccounts } from './accounts/remembered-accounts.ts';
import type { AckIdentity } from './acknowledgement/ack-identity.ts';
import type { RequestVerifier } from './authentication/signed-request.ts';
import type { LookupClaim, MessageClaim } from './authentication/verify-request.ts';
import type { SubmissionWrites } from './deltas/submission-writes.ts';
import type { AccountStorage } from './storage/storage.ts';
import type { AppliedDelta, Network, SignatureScheme } from './networks/network.ts';

/** What the Guardian domain works with; built once by an entry point. */
export interface GuardianContext {
  sql: Sql;
  network: Network;
  requests: RequestVerifier;
  /** Verify signatures away from the event loop. @throws AuthenticationError */
  signatures: {
    verifyMessage(claim: MessageClaim): Promise<string>;
    verifyLookup(claim: LookupClaim): Promise<string>;
  };
  acknowledgement: AckIdentity;
  /**
   * Applies a delta to a stored state and signs its summary, away from the event loop.
   * @throws UnverifiableError when the delta does not apply.
   */
  applyAndAcknowledge(input: {
    accountId: string;
    state: Uint8Array;
    summary: Uint8Array;
    scheme: SignatureScheme;
  }): Promise<AppliedDelta & { acknowledgement: string }>;
  /** Whether wake-ups carry a per-account queue name. */
  wakeQueue: 'account' | 'none';
  /** One serialized summary with the effect of several. @throws UnverifiableError */
  mergeDeltas(input: { state: Uint8Array; summaries: Uint8Array[] }): Promise<Uint8Array>;
  /** What this process remembers, to spare round trips. */
  remembered: RememberedAccounts;
  /** Pending proposals on the current state that an account may have. */
  maxPendingProposals: number;
  submissions: SubmissionWrites;
  metrics: Metrics;
  storage: AccountStorage;
}

/** Queue name of an account's wake-ups, or null. */
export function queueNameOf(
  context: Pick<GuardianContext, 'wakeQueue'>,
  accountId: string,
): string | null {
  return context.wakeQueue === 'account' ? `account:${accountId}` : null;
}
