/**
 * Starts one Postgres of each tested version for the whole run, with a migrated template
 * database, and makes a migrated template of the embedded database. Shared by the projects
 * that name it; the last one to finish stops the servers.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/database/connect.ts';
import { migrate } from '../../src/database/migrate.ts';
import { readMigrationFiles } from '../../src/database/migration-files.ts';
import { startCluster, templateDatabase, type Cluster } from './cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres18: string;
    postgres15: string;
    embeddedTemplate: string;
  }
}

interface Shared {
  users: number;
  clusters: Promise<[Cluster, Cluster]>;
  embeddedTemplate: Promise<string>;
}

/** Each project loads this module by itself, in one process: the servers are kept beside them. */
const sharedKey = Symbol.for('canonry.test.clusters');
const holder = globalThis as { [sharedKey]?: Shared };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (holder[sharedKey] ??= {
    users: 0,
    clusters: Promise.all([startMigrated(18), startMigrated(15)]),
    embeddedTemplate: embeddedTemplate(),
  });
  shared.users += 1;
  const [postgres18, postgres15] = await shared.clusters;
  project.provide('postgres18', postgres18.url());
  project.provide('postgres15', postgres15.url());
  project.provide('embeddedTemplate', await shared.embeddedTemplate);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    delete holder[sharedKey];
    await Promise.all([postgres18.remove(), postgres15.remove()]);
  };
}

async function startMigrated(version: 15 | 18): Promise<Cluster> {
  const cluster = await startCluster({ version });
  const admin = await openDatabase({ databaseUrl: cluster.url() });
  await admin.sql`create database ${admin.sql(templateDatabase)}`;
  await admin.close();
  const template = await openDatabase({ databaseUrl: cluster.url(templateDatabase) });
  await migrate(template);
  await template.close();
  return cluster;
}

/**
 * The file with a migrated embedded database. Creating one takes seconds, so it is kept under
 * node_modules/.cache, by what went into it.
 */
async function embeddedTemplate(): Promise<string> {
  const folder = fileURLToPath(new URL('../../node_modules/.cache/canonry/', import.meta.url));
  const key = templateKey();
  const file = path.join(folder, `embedded-${key}.tar`);
  if (fs.existsSync(file)) return file;
  const database = await openDatabase();
  await migrate(database);
  const dump = await database.dumpEmbedded();
  await database.close();
  // somebody edited a migration meanwhile: what came out belongs to neither key
  if (templateKey() !== key) return embeddedTemplate();
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(`${file}.${process.pid}`, new Uint8Array(await dump.arrayBuffer()));
  fs.renameSync(`${file}.${process.pid}`, file);
  removeOldTemplates(folder);
  return file;
}

function templateKey(): string {
  const lock = createRequire(import.meta.url)('../../package-lock.json') as {
    packages: Record<string, { version: string }>;
  };
  const versionOf = (name: string) => lock.packages[`node_modules/${name}`]?.version;
  const { numbered, functions } = readMigrationFiles();
  const parts = [
    versionOf('@electric-sql/pglite'),
    versionOf('graphile-worker'),
    ...[...numbered, ...functions].map(({ name, sha256 }) => name + sha256),
  ];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

/** Another run may use a recent one at this moment. */
function removeOldTemplates(folder: string): void {
  const oldest = Date.now() - 3_600_000;
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    if (fs.statSync(file).mtimeMs < oldest) fs.rmSync(file, { force: true });
  }
}
