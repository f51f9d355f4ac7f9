import type { Sql } from '../../database/connect.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { AccountStorage } from '../storage/storage.ts';
import type { CookiePolicy } from '../sessions/cookie.ts';
import type { LoginLimits } from '../sessions/login-limits.ts';
import type { EvmChain } from './chain/chain.ts';

/** What the EVM module works with; built once by an entry point. */
export interface EvmContext {
  sql: Sql;
  /** By chain id. */
  chains: ReadonlyMap<number, EvmChain>;
  /** Active proposals that an account may have. */
  maxActiveProposals: number;
  /** Largest request body in bytes. */
  maxRequestBytes: number;
  cookies: CookiePolicy;
  logins: LoginLimits;
  storage: Pick<AccountStorage, 'sealProposal' | 'openProposal'>;
  metrics: Metrics;
}
