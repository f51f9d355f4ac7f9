import type { Sql } from '../../database/connect.ts';
import { open, seal, SealedDataError, type StorageKeys } from './envelope.ts';
import { clearStorage, encryptedStorage, type AccountStorage } from './storage.ts';

/** The store and the configured keys do not fit together. The message holds no key. */
export class StorageModeError extends Error {
  override name = 'StorageModeError';
}

interface Marker {
  outcome: 'marked' | 'populated';
  initial_key_id: string;
  probe: string;
}

/** What the marker seals, so that another key under the same id is noticed at the start. */
const probeContext = 'marker';

/**
 * Storage as the keys ask for it. The first start with keys marks an empty store as encrypted, for
 * good; from then on only processes that have the key it began with may start.
 *
 * @param keys undefined: no encryption.
 * @throws StorageModeError
 */
export async function openStorage(
  sql: Sql,
  keys: StorageKeys | undefined,
): Promise<AccountStorage> {
  if (!keys) {
    const [row] = await sql<{ marked: boolean }[]>`
      select exists (select 1 from guardian.storage_encryption) as marked`;
    if (!row?.marked) return clearStorage;
    throw new StorageModeError(
      'The account data of this database is encrypted: set GUARDIAN_STORAGE_ENCRYPTION_KEY.',
    );
  }
  const probe = JSON.stringify(seal(keys, probeContext, new Uint8Array(32)));
  const [marker] = await sql<Marker[]>`
    select outcome, initial_key_id, probe::text as probe
    from guardian.mark_encrypted(${keys.active}, ${probe}::text::json)`;
  if (!marker) throw new Error('mark_encrypted returned nothing');
  if (marker.outcome === 'populated') {
    throw new StorageModeError(
      'This database holds account data in the clear: GUARDIAN_STORAGE_ENCRYPTION_KEY needs an empty one.',
    );
  }
  return encryptedStorage(keys, initialKey(keys, marker));
}

/** @throws StorageModeError when it is missing, or is another key under the same id. */
function initialKey(keys: StorageKeys, { initial_key_id: id, probe }: Marker): Uint8Array {
  const key = keys.keys.get(id);
  if (!key) {
    throw new StorageModeError(
      `This database was first encrypted with the key ${id}: it has to stay in GUARDIAN_STORAGE_ENCRYPTION_OLD_KEYS.`,
    );
  }
  try {
    open(keys, probeContext, probe);
    return key;
  } catch (error) {
    if (!(error instanceof SealedDataError)) throw error;
    throw new StorageModeError(
      `The key ${id} is not the one this database was first encrypted with: check GUARDIAN_STORAGE_ENCRYPTION_KEY and GUARDIAN_STORAGE_ENCRYPTION_OLD_KEYS.`,
    );
  }
}
