/** Builds the parts of the system out of the configuration. Entry points only pick parts. */
import path from 'node:path';
import type { Hono } from 'hono';
import type { GraphileConfig } from 'graphile-config';
import { chainOf, isProduction, loadConfig, ConfigError, type Config } from '../config/load.ts';
import type { Database } from '../database/connect.ts';
import { assertMigrated, pendingMigrations } from '../database/migrate.ts';
import { loadAckKeys, type AckKeySource } from '../guardian/acknowledgement/ack-keys.ts';
import { ackIdentity } from '../guardian/acknowledgement/ack-identity.ts';
import type { GuardianContext } from '../guardian/context.ts';
import { guardianRoutes } from '../guardian/http/routes.ts';
import { startComputePool } from '../guardian/networks/miden/compute/pool.ts';
import { MidenNetwork } from '../guardian/networks/miden/miden-network.ts';
import { MidenNode } from '../guardian/networks/miden/rpc/node.ts';
import { provideCanonicalization } from '../guardian/task-context.ts';
import type { Readiness } from '../http/health.ts';
import { createLiveness, type Liveness } from '../kernel/liveness.ts';
import { startWorker, workerPreset, type Worker } from '../kernel/worker.ts';
import { createLog, errorFields, type Log } from '../observability/log.ts';
import { createApp } from './app.ts';
import { openConfiguredDatabase } from './database.ts';
import { gitCommit, version } from './version.ts';

/** The API of a process with what it stands on. */
export interface Api {
  app: Hono;
  /** Ends the threads; the database is the caller's. */
  close(): Promise<void>;
}

/** @throws AckKeyError, ConfigError, MigrationError */
export async function createApi(config: Config, database: Database, log: Log): Promise<Api> {
  const chain = chainOf(config);
  await assertMigrated(database.sql);
  const keys = await loadAckKeys(ackKeySource(config));
  const threads = config.CANONRY_COMPUTE_THREADS;
  const compute = await startComputePool({ keys, ...(threads ? { threads } : {}) });
  const context: GuardianContext = {
    sql: database.sql,
    network: new MidenNetwork(
      compute,
      midenNode(config, chain.endpoint),
      chain.network === 'local' ? 'any' : 'derived',
    ),
    requests: { verifyRequest: (claim) => compute.run('verifyRequest', claim) },
    acknowledgement: ackIdentity(keys),
    applyAndAcknowledge: (input) => compute.run('applyAndAcknowledge', input),
    wakeQueue: config.WAKE_QUEUE,
    maxCandidates: config.GUARDIAN_MAX_CANDIDATES_PER_ACCOUNT,
  };
  const identity = { version, gitCommit, environment: chain.network, startedAt: new Date() };
  const app = createApp({
    routes: guardianRoutes(context, identity, {
      maxRequestBytes: config.GUARDIAN_MAX_REQUEST_BYTES,
    }),
    corsAllowedOrigins: config.GUARDIAN_CORS_ALLOWED_ORIGINS,
    checkReadiness: () => checkReadiness(database, log),
    log,
  });
  return { app, close: () => compute.close() };
}

function midenNode(config: Config, endpoint: string): MidenNode {
  return new MidenNode({
    endpoint,
    timeoutMs: config.GUARDIAN_MIDEN_RPC_TIMEOUT_MS,
    maxAttempts: config.GUARDIAN_MIDEN_RPC_MAX_ATTEMPTS,
  });
}

function ackKeySource(config: Config): AckKeySource {
  const pair = (falcon: string | undefined, ecdsa: string | undefined, names: string) => {
    if (falcon && ecdsa) return [falcon, ecdsa] as const;
    throw new ConfigError(`GUARDIAN_ACK_SECRET_PROVIDER needs both ${names}.`);
  };
  switch (config.GUARDIAN_ACK_SECRET_PROVIDER) {
    case 'none': {
      const directory =
        config.GUARDIAN_KEYSTORE_PATH ?? path.join(config.CANONRY_DATA_DIR, 'keystore');
      return { provider: 'none', directory };
    }
    case 'file': {
      const [falconPath, ecdsaPath] = pair(
        config.GUARDIAN_ACK_FALCON_SECRET_PATH,
        config.GUARDIAN_ACK_ECDSA_SECRET_PATH,
        'GUARDIAN_ACK_FALCON_SECRET_PATH and GUARDIAN_ACK_ECDSA_SECRET_PATH',
      );
      return { provider: 'file', falconPath, ecdsaPath };
    }
    case 'env': {
      const [falcon, ecdsa] = pair(
        config.GUARDIAN_ACK_FALCON_SECRET,
        config.GUARDIAN_ACK_ECDSA_SECRET,
        'GUARDIAN_ACK_FALCON_SECRET and GUARDIAN_ACK_ECDSA_SECRET',
      );
      return { provider: 'env', falcon, ecdsa };
    }
  }
}

export async function checkReadiness(database: Database, log: Log): Promise<Readiness> {
  try {
    const pending = await pendingMigrations(database.sql);
    return pending.length === 0
      ? { ready: true }
      : { ready: false, reason: `${pending.length} migration(s) are missing` };
  } catch (error) {
    log.error(errorFields(error), 'not ready');
    return { ready: false, reason: 'the database is not reachable' };
  }
}

/** The parts of a worker: our own process and the stock CLI use the same. */
function workerParts(
  config: Config,
  database: Database,
  log: Log,
): { preset: GraphileConfig.Preset; liveness: Liveness } {
  const chain = chainOf(config);
  const node = midenNode(config, chain.endpoint);
  provideCanonicalization({
    sql: database.sql,
    network: { commitmentOnChain: (accountId) => node.accountCommitment(accountId) },
    wakeQueue: config.WAKE_QUEUE,
    retainedTtlSeconds: config.GUARDIAN_CANONICALIZATION_RETAINED_TTL_SECONDS,
    reconcileIntervalSeconds: config.GUARDIAN_CANONICALIZATION_RECONCILE_INTERVAL_SECONDS,
    log,
  });
  const liveness = createLiveness(database.sql, log);
  const preset = workerPreset({ concurrency: config.CANONRY_WORKER_CONCURRENCY, liveness, log });
  return { preset, liveness };
}

/** @throws ConfigError, MigrationError */
export async function createWorker(config: Config, database: Database, log: Log): Promise<Worker> {
  await assertMigrated(database.sql);
  const { preset, liveness } = workerParts(config, database, log);
  return startWorker(preset, database.workerPool(), liveness, log);
}

/**
 * The preset of the stock graphile-worker CLI, which opens its own pool on the direct URL.
 * @throws ConfigError
 */
export async function workerPresetFromEnvironment(
  env: Record<string, string | undefined>,
): Promise<GraphileConfig.Preset> {
  const config = loadConfig(env);
  const connectionString = config.DIRECT_DATABASE_URL ?? config.DATABASE_URL;
  if (!connectionString) {
    throw new ConfigError('Set DATABASE_URL: the embedded database belongs to one process.');
  }
  const log = createLog(config.LOG_LEVEL, { role: 'worker' });
  const database = await openConfiguredDatabase(config, {
    applicationName: 'canonry-graphile-cli',
    direct: true,
  });
  const { preset } = workerParts(config, database, log);
  return { ...preset, worker: { ...preset.worker, connectionString } };
}

/** @throws ConfigError in the prod stage. */
export function assertNotProduction(config: Config, what: string): void {
  if (isProduction(config)) {
    throw new ConfigError(`${what} is for development: refused while GUARDIAN_ENV is prod.`);
  }
}
