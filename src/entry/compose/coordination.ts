/** What the processes of a fleet have to agree on, and the line that says how they share. */
import { createHash } from 'node:crypto';
import { bytesToHex } from '@noble/hashes/utils.js';
import { isProduction, type Config } from '../../config/load.ts';
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
  const replica = await joinReplicas(database.sql, log, {
    role: 'api',
    settings: sharedSettings(config, ackCommitments),
  });
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

function sharedSettings(
  config: Config,
  ackCommitments: Readonly<Record<string, string>>,
): SharedSettings {
  return {
    version,
    stage: isProduction(config) ? 'prod' : 'dev',
    GUARDIAN_NETWORK_TYPE: String(config.GUARDIAN_NETWORK_TYPE),
    WAKE_QUEUE: config.WAKE_QUEUE,
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

/** Tells two secrets apart and says nothing of either: they have 256 bits of their own. */
function fingerprint(secret: string | undefined): string {
  if (secret === undefined) return 'unset';
  return createHash('sha256').update(`canonry cursor ${secret}`).digest('hex').slice(0, 16);
}
