/** Encryption of account data as the configuration asks for it. */
import { ConfigError, type Config } from '../../config/load.ts';
import type { Sql } from '../../database/connect.ts';
import type { StorageKeys } from '../../guardian/storage/envelope.ts';
import { openStorage, StorageModeError } from '../../guardian/storage/open.ts';
import type { AccountStorage } from '../../guardian/storage/storage.ts';

/**
 * The keys, or undefined where nothing is encrypted.
 * @throws ConfigError naming the variable, never a value.
 */
export function storageKeys(config: Config): StorageKeys | undefined {
  const key = config.GUARDIAN_STORAGE_ENCRYPTION_KEY;
  const old = config.GUARDIAN_STORAGE_ENCRYPTION_OLD_KEYS ?? new Map<string, Uint8Array>();
  const active = config.GUARDIAN_STORAGE_ENCRYPTION_KEY_ID;
  if (!key) {
    if (old.size === 0) return undefined;
    throw new ConfigError(
      'GUARDIAN_STORAGE_ENCRYPTION_OLD_KEYS is set: GUARDIAN_STORAGE_ENCRYPTION_KEY is needed too.',
    );
  }
  if (old.has(active)) {
    throw new ConfigError(
      'GUARDIAN_STORAGE_ENCRYPTION_OLD_KEYS names the id in GUARDIAN_STORAGE_ENCRYPTION_KEY_ID: each key needs an id of its own.',
    );
  }
  return { active, keys: new Map([...old, [active, key]]) };
}

/** @throws ConfigError when the store is of the other kind, or the key it began with is missing. */
export async function openConfiguredStorage(
  sql: Sql,
  keys: StorageKeys | undefined,
): Promise<AccountStorage> {
  try {
    return await openStorage(sql, keys);
  } catch (error) {
    if (error instanceof StorageModeError) throw new ConfigError(error.message);
    throw error;
  }
}
