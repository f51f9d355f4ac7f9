/** What API and worker are both built from. */
import { ConfigError, isProduction, type Config } from '../../config/load.ts';
import type { Database } from '../../database/connect.ts';
import { pendingMigrations } from '../../database/migrate.ts';
import { MigrationError } from '../../database/migration-files.ts';
import { MidenNode } from '../../guardian/networks/miden/rpc/node.ts';
import type { Readiness } from '../../http/health.ts';
import { errorFields, type Log } from '../../observability/log.ts';
import type { Metrics } from '../../observability/metrics.ts';
import { midenNodeWatcher } from './metrics.ts';

/** The Miden node the configuration names. */
export function midenNode(config: Config, endpoint: string, metrics: Metrics): MidenNode {
  return new MidenNode({
    endpoint,
    timeoutMs: config.GUARDIAN_MIDEN_RPC_TIMEOUT_MS,
    maxAttempts: config.GUARDIAN_MIDEN_RPC_MAX_ATTEMPTS,
    watcher: midenNodeWatcher(metrics),
  });
}

/** Whether the process can do its work; the reason otherwise. */
export async function checkReadiness(database: Database, log: Log): Promise<Readiness> {
  try {
    const pending = await pendingMigrations(database.sql);
    return pending.length === 0
      ? { ready: true }
      : { ready: false, reason: `${pending.length} migration(s) are missing` };
  } catch (error) {
    log.error(errorFields(error), 'not ready');
    const reachable = error instanceof MigrationError;
    return {
      ready: false,
      reason: reachable
        ? 'the migrations of the database are not those of this version'
        : 'the database is not reachable',
    };
  }
}

/** @throws ConfigError in the prod stage. */
export function assertNotProduction(config: Config, what: string): void {
  if (isProduction(config)) {
    throw new ConfigError(`${what} is for development: refused while GUARDIAN_ENV is prod.`);
  }
}
