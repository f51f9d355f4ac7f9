import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { Hono } from 'hono';
import { chainOf, ConfigError, isProduction, type Config } from '../../config/load.ts';
import type { Database } from '../../database/connect.ts';
import { assertMigrated } from '../../database/migrate.ts';
import { RememberedAccounts } from '../../guardian/accounts/remembered-accounts.ts';
import {
  loadAckKeys,
  type AckKeys,
  type AckKeySource,
} from '../../guardian/acknowledgement/ack-keys.ts';
import { ackIdentity } from '../../guardian/acknowledgement/ack-identity.ts';
import type { GuardianContext } from '../../guardian/context.ts';
import { submissionWrites } from '../../guardian/deltas/submission-writes.ts';
import { guardianRoutes } from '../../guardian/http/routes.ts';
import type { Compute } from '../../guardian/networks/miden/compute/compute.ts';
import { separateLargeWork } from '../../guardian/networks/miden/compute/large-work.ts';
import { startComputePool } from '../../guardian/networks/miden/compute/pool.ts';
import { MidenNetwork } from '../../guardian/networks/miden/miden-network.ts';
import { AllowlistError } from '../../guardian/operators/allowlist.ts';
import type { OperatorContext } from '../../guardian/operators/context.ts';
import { openOperators } from '../../guardian/operators/open.ts';
import type { CookiePolicy } from '../../guardian/sessions/cookie.ts';
import {
  limitLogins,
  unlimitedLogins,
  type LoginLimits,
} from '../../guardian/sessions/login-limits.ts';
import { createCursors } from '../../http/cursor.ts';
import { computeLimits } from '../../limits.ts';
import type { RequestLimits } from '../../http/rate-limit/request-limit.ts';
import type { Log } from '../../observability/log.ts';
import { unobserved, type Metrics } from '../../observability/metrics.ts';
import { createApp } from '../app.ts';
import { gitCommit, version } from '../version.ts';
import { joinFleet } from './coordination.ts';
import { checkReadiness, midenNode } from './shared.ts';
import { openConfiguredStorage, storageKeys } from './storage.ts';

/** The API of a process with what it stands on. */
export interface Api {
  app: Hono;
  /** Ends the threads; the database is the caller's. */
  close(): Promise<void>;
}

/** @throws AckKeyError, ConfigError, MigrationError */
export async function createApi(
  config: Config,
  database: Database,
  log: Log,
  metrics: Metrics = unobserved,
): Promise<Api> {
  // what is wrong with the configuration is said before the database is asked
  const chain = chainOf(config);
  const ackKeys = ackKeySource(config);
  const encryption = storageKeys(config);
  await assertMigrated(database.sql);
  const storage = await openConfiguredStorage(database.sql, encryption);
  const keys = await loadAckKeys(ackKeys);
  const threads = config.CANONRY_COMPUTE_THREADS;
  const compute = separateLargeWork(
    await startComputePool({ keys, ...(threads ? { threads } : {}) }),
    () =>
      startComputePool({ keys, threads: 1, queuedOperations: computeLimits.queuedLargeOperations }),
  );
  const node = midenNode(config, chain.endpoint, metrics);
  const network = new MidenNetwork(compute, node, chain.network === 'local' ? 'any' : 'derived');
  const context = guardianContext(
    config,
    { sql: database.sql, network, metrics, storage },
    keys,
    compute,
  );
  const identity = { version, gitCommit, environment: chain.network, startedAt: new Date() };
  const cursors = createCursors(cursorKey(config, database, log));
  const operators = await openOperatorsApi(config, {
    ...context,
    describeSummaries: async (summaries) =>
      (await compute.run('describeSummaries', { summaries })).described,
    service: {
      ...identity,
      retainedTtlSeconds: config.GUARDIAN_CANONICALIZATION_RETAINED_TTL_SECONDS,
      reconcileIntervalSeconds: config.GUARDIAN_CANONICALIZATION_RECONCILE_INTERVAL_SECONDS,
    },
    cursors,
    log,
  });
  const evm = await openEvmAccounts(config, context, log);
  const replica = await joinFleet(config, database, log, {
    falcon: context.acknowledgement.commitment('falcon'),
    ecdsa: context.acknowledgement.commitment('ecdsa'),
  });
  const guardian = guardianRoutes(context, identity, {
    maxRequestBytes: config.GUARDIAN_MAX_REQUEST_BYTES,
    cursors,
  });
  const app = createApp({
    routes: [...guardian, ...operators.routes, ...(evm?.routes ?? [])],
    corsAllowedOrigins: config.GUARDIAN_CORS_ALLOWED_ORIGINS,
    checkReadiness: () => checkReadiness(database, log),
    requestLimits: requestLimits(config, metrics),
    log,
    metrics,
  });
  return {
    app,
    async close() {
      await replica.leave();
      await operators.close();
      await evm?.close();
      await compute.close();
    },
  };
}

function guardianContext(
  config: Config,
  parts: Pick<GuardianContext, 'sql' | 'network' | 'metrics' | 'storage'>,
  keys: AckKeys,
  compute: Compute,
): GuardianContext {
  return {
    ...parts,
    requests: {
      verifyRequest: (claim) => compute.run('verifyRequest', claim),
      signerOfRequest: (request) => compute.run('signerOfRequest', request),
    },
    signatures: {
      verifyMessage: (claim) => compute.run('verifyMessage', claim),
      verifyLookup: (claim) => compute.run('verifyLookup', claim),
    },
    mergeDeltas: (input) => compute.run('mergeDeltas', input),
    remembered: new RememberedAccounts(),
    maxPendingProposals: config.GUARDIAN_MAX_PENDING_PROPOSALS_PER_ACCOUNT,
    acknowledgement: ackIdentity(keys),
    applyAndAcknowledge: (input) => compute.run('applyAndAcknowledge', input),
    wakeQueue: config.WAKE_QUEUE,
    submissions: submissionWrites(parts.sql, {
      maxCandidates: config.GUARDIAN_MAX_CANDIDATES_PER_ACCOUNT,
      connections: config.GUARDIAN_DB_POOL_MAX_SIZE,
      onCommitted: (size) =>
        parts.metrics.observe('canonry_group_size', { operation: 'submit' }, size),
    }),
  };
}

/** EVM accounts where nodes of a chain are configured; without them, not even the code is loaded. */
async function openEvmAccounts(
  config: Config,
  { sql, storage, metrics }: Pick<GuardianContext, 'sql' | 'storage' | 'metrics'>,
  log: Log,
) {
  const rpcUrls = config.GUARDIAN_EVM_RPC_URLS;
  if (!rpcUrls) return undefined;
  const { openEvm } = await import('../../guardian/evm/open.ts');
  return openEvm({
    sql,
    storage,
    metrics,
    rpcUrls,
    entryPoint: config.GUARDIAN_EVM_ENTRYPOINT_ADDRESS,
    maxActiveProposals: config.GUARDIAN_MAX_PENDING_PROPOSALS_PER_ACCOUNT,
    maxRequestBytes: config.GUARDIAN_MAX_REQUEST_BYTES,
    cookies: cookiePolicy(config),
    logins: loginLimits(config, metrics),
    log,
  });
}

/** @throws ConfigError when the list of operators cannot be used. */
async function openOperatorsApi(
  config: Config,
  parts: Omit<OperatorContext, 'allowlist' | 'cookies' | 'logins' | 'trustedProxy'>,
) {
  try {
    return await openOperators({
      ...parts,
      allowlistFile: config.GUARDIAN_OPERATOR_PUBLIC_KEYS_FILE,
      cookies: cookiePolicy(config),
      logins: loginLimits(config, parts.metrics),
      trustedProxy: config.CANONRY_TRUST_PROXY,
    });
  } catch (error) {
    if (!(error instanceof AllowlistError)) throw error;
    throw new ConfigError(`GUARDIAN_OPERATOR_PUBLIC_KEYS_FILE: ${error.message}.`);
  }
}

function requestLimits(config: Config, metrics: Metrics): RequestLimits | undefined {
  if (!config.GUARDIAN_RATE_LIMIT_ENABLED) return undefined;
  return {
    burstPerSecond: config.GUARDIAN_RATE_BURST_PER_SEC,
    perMinute: config.GUARDIAN_RATE_PER_MIN,
    replicas: config.GUARDIAN_MAX_REPLICAS,
    trustedProxy: config.CANONRY_TRUST_PROXY,
    onRejected: (limit_type) =>
      metrics.count('guardian_rate_limit_rejections_total', { limit_type, transport: 'http' }),
  };
}

/** For one kind of logins: others cannot use up its budgets. */
function loginLimits(config: Config, metrics: Metrics): LoginLimits {
  if (!config.GUARDIAN_RATE_LIMIT_ENABLED) return unlimitedLogins;
  return limitLogins({
    burstPerSecond: config.GUARDIAN_DASHBOARD_COMMITMENT_RATE_BURST_PER_SEC,
    perMinute: config.GUARDIAN_DASHBOARD_COMMITMENT_RATE_PER_MIN,
    replicas: config.GUARDIAN_MAX_REPLICAS,
    onRejected: () =>
      metrics.count('guardian_rate_limit_rejections_total', {
        limit_type: 'login',
        transport: 'http',
      }),
  });
}

const cookiePolicy = (config: Config): CookiePolicy => ({
  alwaysSecure: isProduction(config),
  trustProxy: config.CANONRY_TRUST_PROXY !== 'none',
});

/** The key of page cursors; without one, pages cannot be continued on another replica. */
function cursorKey(config: Config, database: Database, log: Log): Uint8Array {
  const secret = config.GUARDIAN_DASHBOARD_CURSOR_SECRET;
  if (secret) return hexToBytes(secret);
  if (database.kind === 'postgres') {
    log.warn('GUARDIAN_DASHBOARD_CURSOR_SECRET is not set: cursors work on this process only');
  }
  return randomBytes(32);
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
