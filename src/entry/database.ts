import path from 'node:path';
import type { Config } from '../config/load.ts';
import { openDatabase, type Database } from '../database/connect.ts';
import { isSameServer, parsePostgresUrl } from '../database/postgres-url.ts';

/**
 * Opens the database the configuration names. `direct` takes no pooler: for workers, whose
 * pool listens, and for migrations.
 */
export function openConfiguredDatabase(
  config: Config,
  options: { applicationName: string; direct?: boolean; lockTimeoutMs?: number },
): Promise<Database> {
  const { DATABASE_URL, DIRECT_DATABASE_URL } = config;
  const pooled =
    DIRECT_DATABASE_URL !== undefined &&
    DATABASE_URL !== undefined &&
    !isSameServer(parsePostgresUrl(DATABASE_URL), parsePostgresUrl(DIRECT_DATABASE_URL));
  return openDatabase({
    databaseUrl: options.direct === true ? (DIRECT_DATABASE_URL ?? DATABASE_URL) : DATABASE_URL,
    directDatabaseUrl: DIRECT_DATABASE_URL,
    embeddedDirectory: path.join(config.CANONRY_DATA_DIR, 'database'),
    applicationName: options.applicationName,
    lockTimeoutMs: options.lockTimeoutMs,
    // one round trip a query instead of two, where no pooler hands it to another session
    preparedStatements: options.direct === true || !pooled,
    maxConnections: config.GUARDIAN_DB_POOL_MAX_SIZE,
    maxWorkerConnections: config.GUARDIAN_DB_POOL_MAX_SIZE,
  });
}
