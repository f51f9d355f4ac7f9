import type { Cursors } from '../../http/cursor.ts';
import type { Sql } from '../../database/connect.ts';
import type { Log } from '../../observability/log.ts';
import type { GuardianContext } from '../context.ts';
import type { CookiePolicy } from '../sessions/cookie.ts';
import type { Allowlist } from './allowlist.ts';

/** What the operators' API works with; built once by an entry point. */
export interface OperatorContext {
  sql: Sql;
  allowlist: Allowlist;
  /** Verifies signatures away from the event loop. */
  signatures: Pick<GuardianContext['signatures'], 'verifyMessage'>;
  cookies: CookiePolicy;
  cursors: Cursors;
  log: Log;
}
