/**
 * Databases for tests. Each call makes a new one, so that test files run side by side; all are
 * closed and dropped when the file (or the describe block that asked) ends.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import postgres from 'postgres';
import { inject } from 'vitest';
import { openDatabase, type Database, type DatabaseOptions } from '../../src/database/connect.ts';
import type { PostgresVersion } from './postgres-binaries.ts';
import { templateDatabase } from './cluster.ts';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

export interface CreateOptions {
  /** With all migrations applied (the default), or empty. */
  migrated?: boolean;
  version?: PostgresVersion;
}

/** A database of its own on the run's Postgres; about 50 ms. Drop it in afterAll. */
export async function createDatabase(options: CreateOptions = {}): Promise<TestDatabase> {
  const server = inject(options.version === 15 ? 'postgres15' : 'postgres18');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = options.migrated === false ? 'template1' : templateDatabase;
  await onServer(server, (sql) => sql`create database ${sql(name)} template ${sql(template)}`);
  return {
    url: server.replace(/\/postgres$/, `/${name}`),
    drop: () => onServer(server, (sql) => sql`drop database if exists ${sql(name)} with (force)`),
  };
}

/** A migrated embedded database in memory; about half a second. Close it in afterAll. */
export async function openEmbeddedCopy(options: DatabaseOptions = {}): Promise<Database> {
  const template = new Blob([fs.readFileSync(inject('embeddedTemplate'))]);
  return openDatabase({ ...options, embeddedTemplate: template });
}

/**
 * The databases a conformance suite runs on:
 * `describe.each(everyDatabase)('… on $name', ({ open }) => …)`.
 * `open` gives a migrated database whose close() also drops it.
 */
export const everyDatabase: readonly { name: string; open(): Promise<Database> }[] = [
  { name: 'the embedded database', open: () => openEmbeddedCopy() },
  { name: 'Postgres 18', open: () => openCreated({ version: 18 }) },
  { name: 'Postgres 15', open: () => openCreated({ version: 15 }) },
];

async function openCreated(options: CreateOptions): Promise<Database> {
  const created = await createDatabase(options);
  const database = await openDatabase({ databaseUrl: created.url });
  return {
    ...database,
    async close() {
      await database.close();
      await created.drop();
    },
  };
}

async function onServer(
  server: string,
  run: (sql: postgres.Sql) => PromiseLike<unknown>,
): Promise<void> {
  const sql = postgres(server, { max: 1, onnotice: () => {} });
  await run(sql);
  await sql.end();
}
