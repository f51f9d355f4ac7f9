/** What the processes of a fleet have to agree on, and the line that says how they share. */
import { createHash } from 'node:crypto';
import { bytesToHex } from '@noble/hashes/utils.js';
import { chainOf, isProduction, type Config } from '../../config/load.ts';
import { joinReplicas, type Replica, type SharedSettings } from '../../coordination/replicas.ts';
import type { Database } from '../../database/connect.ts';
import type { Log } from '../../observability/log.ts';
import { version } from '../version.ts';
import { storageKeys } from './storage.ts';

/**
 * Joins the fleet, and says once how this process shares sessions, challenges, cursors and limits
 * with the others. The mode follows from the database alone.
 * @param ackCommitments of the acknowledgement keys, by scheme.
 */
export async function joinFleet(
  config: Config,
  database: Database,
  log: Log,
  ackCommitments: Readonly<Record<string, string>>,
): Promise<Replica> {
  const replica = joinReplicas(database.sql, log, {
    role: 'api',
    settings: { ...commonSettings(config), ...apiSettings(config, ackCommitments) },
  });
  await replica.announced;
  log.info(
    {
      mode: database.kind === 'postgres' ? 'shared' : 'single process',
      backend: database.kind,
      stage: config.GUARDIAN_ENV ?? 'dev',
      max_replicas: config.GUARDIAN_MAX_REPLICAS,
      rate_limits: config.GUARDIAN_RATE_LIMIT_ENABLED ? 'on' : 'off',
      cursor_secret: config.GUARDIAN_DASHBOARD_CURSOR_SECRET ? 'configured' : 'of this process',
      replica: replica.id,
    },
    'coordination',
  );
  return replica;
}

/**
 * The same for a worker, which does not wait for it: what an API and a worker both act on has to be
 * equal, and doctor looks at what workers have.
 */
export function joinFleetAsWorker(config: Config, database: Database, log: Log): Replica {
  const replica = joinReplicas(database.sql, log, {
    role: 'worker',
    settings: {
      ...commonSettings(config),
      // for doctor; machines may differ in it
      'own:GUARDIAN_DB_POOL_MAX_SIZE': String(config.GUARDIAN_DB_POOL_MAX_SIZE),
    },
  });
  log.info({ replica: replica.id }, 'joined the fleet');
  return replica;
}

/** What API and workers both act on, or tell of. */
function commonSettings(config: Config): SharedSettings {
  const { network, endpoint } = chainOf(config);
  return {
    version,
    stage: isProduction(config) ? 'prod' : 'dev',
    GUARDIAN_NETWORK_TYPE: network,
    // the address of a node may hold a key
    GUARDIAN_MIDEN_RPC_ENDPOINT: fingerprint(new URL(endpoint).href),
    GUARDIAN_MIDEN_RPC_TIMEOUT_MS: String(config.GUARDIAN_MIDEN_RPC_TIMEOUT_MS),
    WAKE_QUEUE: config.WAKE_QUEUE,
    GUARDIAN_CANONICALIZATION_RETAINED_TTL_SECONDS: String(
      config.GUARDIAN_CANONICALIZATION_RETAINED_TTL_SECONDS,
    ),
    GUARDIAN_CANONICALIZATION_RECONCILE_INTERVAL_SECONDS: String(
      config.GUARDIAN_CANONICALIZATION_RECONCILE_INTERVAL_SECONDS,
    ),
  };
}

function apiSettings(
  config: Config,
  ackCommitments: Readonly<Record<string, string>>,
): SharedSettings {
  return {
    GUARDIAN_MAX_CANDIDATES_PER_ACCOUNT: String(config.GUARDIAN_MAX_CANDIDATES_PER_ACCOUNT),
    GUARDIAN_MAX_REPLICAS: String(config.GUARDIAN_MAX_REPLICAS),
    GUARDIAN_RATE_LIMIT_ENABLED: String(config.GUARDIAN_RATE_LIMIT_ENABLED),
    GUARDIAN_RATE_BURST_PER_SEC: String(config.GUARDIAN_RATE_BURST_PER_SEC),
    GUARDIAN_RATE_PER_MIN: String(config.GUARDIAN_RATE_PER_MIN),
    GUARDIAN_DASHBOARD_CURSOR_SECRET: fingerprint(config.GUARDIAN_DASHBOARD_CURSOR_SECRET),
    'encryption keys': encryptionKeys(config),
    'acknowledgement keys': JSON.stringify(ackCommitments),
  };
}

/** Ids and fingerprints, the active key first. */
function encryptionKeys(config: Config): string {
  const keys = storageKeys(config);
  if (!keys) return 'unset';
  const known = [...keys.keys].map(([id, key]) => `${id}=${fingerprint(bytesToHex(key))}`);
  return [`active=${keys.active}`, ...known.toSorted()].join(',');
}

/**
 * Tells two values apart. Of a secret with 256 bits of its own it says nothing; against guesses at the
 * password in an address, no role may read fingerprints.
 */
function fingerprint(secret: string | undefined): string {
  if (secret === undefined) return 'unset';
  return createHash('sha256').update(`canonry cursor ${secret}`).digest('hex').slice(0, 16);
}
