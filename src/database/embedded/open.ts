import fs from 'node:fs';
import path from 'node:path';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { databaseLimits } from '../../limits.ts';
import type { EmbeddedConnection } from './connection.ts';
import { lockDirectory, type DirectoryLock } from './directory-lock.ts';
import { EmbeddedHub } from './hub.ts';
import { startUpkeep } from './upkeep.ts';

export interface EmbeddedOptions {
  /** Where the data lives; in memory when left out. */
  directory?: string | undefined;
  /** A data directory made by `dump`, to start from instead of an empty database. */
  template?: Blob | undefined;
  /** See HubOptions. */
  idleInTransactionMs?: number | undefined;
  onFatal: (error: Error) => void;
  /** A failed CHECKPOINT or VACUUM: the database works on, but its files grow. */
  onUpkeepError: (error: unknown) => void;
}

export interface EmbeddedDatabase {
  connect(): EmbeddedConnection;
  /** The whole data directory as a tar archive; no client may be in a transaction. */
  dump(): Promise<Blob>;
  close(): Promise<void>;
}

/**
 * Opens PGlite behind a hub. With a directory it takes the directory's lock first and throws
 * DirectoryInUseError when another process has it.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const lock = await lockFor(options.directory);
  try {
    const engine = await PGlite.create(engineOptions(options));
    const hub = new EmbeddedHub(engine, options);
    const upkeep = startUpkeep(hub, options.onUpkeepError);
    return {
      connect: () => hub.connect(),
      dump: () => engine.dumpDataDir('none'),
      async close() {
        await upkeep.stop();
        await hub.close();
        await engine.close();
        await lock?.release();
      },
    };
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

async function lockFor(directory: string | undefined): Promise<DirectoryLock | undefined> {
  if (directory === undefined) return undefined;
  fs.mkdirSync(path.dirname(path.resolve(directory)), { recursive: true });
  return lockDirectory(directory);
}

function engineOptions(options: EmbeddedOptions): PGliteOptions {
  return {
    ...(options.directory !== undefined && { dataDir: path.resolve(options.directory) }),
    ...(options.template && { loadDataDir: options.template }),
    // Both settings keep every acknowledged row through SIGKILL (the engine writes to files
    // before it answers, and never calls fsync); relaxed is faster but also answers before a
    // file system layer has taken the data, so the strict one stays.
    relaxedDurability: false,
    // 128 MB of buffers, the default, is resident in full: 315 MB a process instead of 173 MB.
    postgresqlconf: [
      `shared_buffers=${databaseLimits.embeddedBuffers}`,
      `max_wal_size=${databaseLimits.embeddedWal}`,
    ],
  };
}
