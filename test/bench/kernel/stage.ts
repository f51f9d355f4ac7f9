/** The cluster of a benchmark, and a fresh database for each of its runs. */
import fs from 'node:fs';
import path from 'node:path';
import postgres from 'postgres';
import { openDatabase, type Sql } from '../../../src/database/connect.ts';
import { migrate } from '../../../src/database/migrate.ts';
import { startCluster, type Cluster } from '../../support/cluster.ts';

/** Every commit is flushed to disk before it is acknowledged. */
const durableSettings = [
  'fsync=on',
  'synchronous_commit=on',
  'full_page_writes=on',
  // room for the working set and no checkpoint in the middle of a short run
  'shared_buffers=256MB',
  'min_wal_size=2GB',
  'max_wal_size=4GB',
  'checkpoint_timeout=15min',
];

export interface Stage {
  cluster: Cluster;
  /** Process id of the server. */
  serverPid: number;
  settings: string[];
  /** A fresh database with the kernel and the bench domain. */
  openRun(): Promise<Run>;
  close(): Promise<void>;
}

/** One fresh database. */
export interface Run {
  url: string;
  sql: Sql;
  drop(): Promise<void>;
}

const templateName = 'bench_template';

/** @param options `logFiles` are laid in beforehand: a gigabyte, for runs whose figures count. */
export async function openStage(
  options: { migrations?: string | undefined; settings?: string[]; logFiles?: boolean } = {},
): Promise<Stage> {
  const settings = [...durableSettings, ...(options.settings ?? [])];
  const cluster = await startCluster({ durable: true, settings });
  const admin = postgres(cluster.url(), { max: 1, onnotice: () => {} });
  await admin`create database ${admin(templateName)}`;
  const template = await openDatabase({ databaseUrl: cluster.url(templateName) });
  await migrate(template, options.migrations ? { directory: options.migrations } : {});
  await template.sql.unsafe(fs.readFileSync(new URL('./schema.sql', import.meta.url), 'utf8'));
  await template.close();
  if (options.logFiles) await layInLogFiles(admin);
  const pidFile = path.join(cluster.directory, 'data', 'postmaster.pid');
  let runs = 0;
  return {
    cluster,
    serverPid: Number(fs.readFileSync(pidFile, 'utf8').split('\n')[0]),
    settings,
    async openRun() {
      const name = `bench_${(runs += 1)}`;
      await admin`create database ${admin(name)} template ${admin(templateName)} strategy file_copy`;
      const url = cluster.url(name);
      const { sql, close } = await openDatabase({
        databaseUrl: url,
        maxConnections: 4,
        preparedStatements: true,
        statementTimeoutMs: 600_000,
      });
      return {
        url,
        sql,
        async drop() {
          await close();
          await admin`drop database ${admin(name)} with (force)`;
        },
      };
    },
    async close() {
      await admin.end();
      await cluster.remove();
    },
  };
}

/**
 * Log files for a run, as a server that has been up for a while recycles them: making one in the
 * middle of a commit holds up every other commit for 20 ms.
 */
async function layInLogFiles(admin: postgres.Sql): Promise<void> {
  for (let file = 0; file < 60; file++) {
    await admin`select pg_logical_emit_message(false, 'bench', 'next file'), pg_switch_wal()`;
  }
  await admin`checkpoint`;
}
