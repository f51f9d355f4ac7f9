import type { Sql } from '../database/connect.ts';
import type { AckSigner } from './acknowledgement/ack-signer.ts';
import type { RequestVerifier } from './authentication/authenticate.ts';
import type { Network } from './networks/network.ts';

/** What the Guardian domain works with; built once by an entry point. */
export interface GuardianContext {
  sql: Sql;
  network: Network;
  requests: RequestVerifier;
  acknowledgement: AckSigner;
  /** Whether wake-ups carry a per-account queue name. */
  wakeQueue: 'account' | 'none';
}

/** Queue name of an account's wake-ups, or null. */
export function queueNameOf(context: GuardianContext, accountId: string): string | null {
  return context.wakeQueue === 'account' ? `account:${accountId}` : null;
}
