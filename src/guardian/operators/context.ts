import type { TrustedProxy } from '../../http/client-address.ts';
import type { Cursors } from '../../http/cursor.ts';
import type { Sql } from '../../database/connect.ts';
import type { Log } from '../../observability/log.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { GuardianContext } from '../context.ts';
import type { DescribedSummary } from '../networks/miden/summary/describe.ts';
import type { AccountStorage } from '../storage/storage.ts';
import type { CookiePolicy } from '../sessions/cookie.ts';
import type { LoginLimits } from '../sessions/login-limits.ts';
import type { Allowlist } from './allowlist.ts';

/** What the operators' API works with; built once by an entry point. */
export interface OperatorContext {
  sql: Sql;
  allowlist: Allowlist;
  /** Verifies signatures away from the event loop. */
  signatures: Pick<GuardianContext['signatures'], 'verifyMessage'>;
  network: Pick<GuardianContext['network'], 'inspectAccount'>;
  /** What transaction summaries do, away from the event loop; null for bytes that are none. */
  describeSummaries(summaries: Uint8Array[]): Promise<(DescribedSummary | null)[]>;
  /** What the dashboard tells about this process and its settings. */
  service: ServiceFacts;
  cookies: CookiePolicy;
  logins: LoginLimits;
  /** Who says where a request came from, for the audit. */
  trustedProxy: TrustedProxy;
  cursors: Cursors;
  log: Log;
  metrics: Metrics;
  storage: AccountStorage;
}

export interface ServiceFacts {
  version: string;
  gitCommit: string;
  environment: string;
  startedAt: Date;
  retainedTtlSeconds: number;
  reconcileIntervalSeconds: number;
}
