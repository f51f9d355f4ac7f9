import type pg from 'pg';
import { databaseLimits } from '../limits.ts';
import type { Database, Sql } from './connect.ts';
import {
  MigrationError,
  readMigrationFiles,
  type MigrationFile,
  type MigrationFiles,
  type RoleFiles,
} from './migration-files.ts';
import {
  describePlan,
  engineRecord,
  planMigrations,
  planMissing,
  supersededRecord,
  type AppliedMigrations,
  type MigrationPlan,
} from './migration-plan.ts';
import { applyGrants, createRoles, migratorRole, usesRoles } from './roles.ts';

export interface MigrateOptions {
  /** Another directory than the project's own. */
  directory?: string;
  /** How long to wait for another process that migrates the same database. */
  lockTimeoutMs?: number;
}

/** Any number that other users of advisory locks in the same database are unlikely to use. */
const advisoryLockKey = 7_161_005_377_001;

const migrationsTable = `
  create schema if not exists canonry;
  create table if not exists canonry.migrations (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
  )`;

/**
 * Brings the database to the state of the files: the job engine's own schema, then each
 * numbered file in a transaction of its own, then the changed function files in one
 * transaction. Returns the names of what it applied. Starters that run at the same time take
 * turns, each step being checked again under the lock.
 *
 * Needs a connection that owns the schema, on the direct URL. Throws MigrationError; the steps
 * that were applied before it stay applied.
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<string[]> {
  return withRun(database, options, async (run) => {
    if (!(await usesRoles(run.pool))) {
      if (isUpToDate(planMigrations(run.files, await readApplied(run.pool)))) return [];
      return applyPending(run);
    }
    const pool = database.migrationPool(migratorRole);
    try {
      return await applyPending({ ...run, pool, grants: run.files.roles });
    } finally {
      await pool.end();
    }
  });
}

/**
 * Migrates, then lets this database use roles of its own for migrations, API, workers, operators
 * and readers: creates them where they are missing, gives the schemas to the migrator and says who
 * may do what, in one transaction. From then on `migrate` does the same with what it brings.
 *
 * Needs an administrator's connection: a superuser, or the owner of the schemas with CREATEROLE.
 * Throws MigrationError.
 */
export async function separateRoles(
  database: Database,
  options: MigrateOptions = {},
): Promise<string[]> {
  if (database.kind === 'embedded') {
    throw new MigrationError('The embedded database belongs to one process: it has no roles.');
  }
  const applied = await migrate(database, options);
  await withRun(database, options, async (run) => {
    const { roles } = run.files;
    if (!roles) throw new MigrationError('These migrations say nothing of roles.');
    await locked(run, (client) => createRoles(client, roles));
  });
  return applied;
}

async function withRun<T>(
  database: Database,
  options: MigrateOptions,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const files = readMigrationFiles(options.directory);
  const deadline = Date.now() + (options.lockTimeoutMs ?? databaseLimits.migrationLockMs);
  const pool = database.migrationPool();
  try {
    return await work({ database, pool, files, deadline });
  } finally {
    await pool.end();
  }
}

/** Names of what the database lacks for this version of the code, in order. Reads only. */
export async function pendingMigrations(sql: Sql, directory?: string): Promise<string[]> {
  const rows = await sql<{ name: string; sha256: string }[]>`
    select name, sha256 from canonry.migrations`.catch(emptyWhenMissing);
  const applied = new Map(rows.map(({ name, sha256 }) => [name, sha256]));
  return describePlan(planMissing(readMigrationFiles(directory), applied));
}

/**
 * For start-up: throws MigrationError unless the database has every migration. Changes nothing,
 * so that a machine of the API needs no right to.
 */
export async function assertMigrated(sql: Sql, directory?: string): Promise<void> {
  const pending = await pendingMigrations(sql, directory);
  if (pending.length === 0) return;
  throw new MigrationError(
    `The database lacks ${pending.length} migration(s): ${pending.join(', ')}. ` +
      'Run `npm run migrate` with DIRECT_DATABASE_URL (or DATABASE_URL) set.',
  );
}

interface Run {
  database: Database;
  pool: pg.Pool;
  files: MigrationFiles;
  /** Milliseconds since 1970: when to stop waiting for another starter. */
  deadline: number;
  /** On a database that uses roles; `pool` is then the migrator's. */
  grants?: RoleFiles | undefined;
}

async function applyPending(run: Run): Promise<string[]> {
  await locked(run, (client) => client.query(migrationsTable));
  const done = await applyEngine(run);
  for (;;) {
    const name = await locked(run, async (client) => {
      const next = planMigrations(run.files, await readApplied(client)).numbered[0];
      if (next) await applyFile(client, next);
      return next?.name;
    });
    if (name === undefined) break;
    done.push(name);
  }
  const functions = await locked(run, async (client) => {
    const changed = planMigrations(run.files, await readApplied(client)).functions;
    for (const file of changed) await applyFile(client, file);
    // in the same transaction: a function that was created again belongs to its caller's rights
    if (run.grants) await applyGrants(client, run.grants);
    return changed.map(({ name }) => name);
  });
  return [...done, ...functions];
}

/** The job engine migrates on connections of its own, so the lock is held beside it. */
async function applyEngine(run: Run): Promise<string[]> {
  const isMissing = async (client: pg.Pool | pg.PoolClient) =>
    planMigrations(run.files, await readApplied(client)).engine;
  if (!(await isMissing(run.pool))) return [];
  // Loaded here, because the API, which only asks what is pending, has no other use for it.
  const { Logger, runMigrations } = await import('graphile-worker');
  const silent = new Logger(() => () => {});
  const install = () => runMigrations({ pgPool: run.pool, logger: silent });
  // The embedded database has one session and one process: nobody to exclude, and an open
  // transaction would keep the engine out as well.
  if (run.database.kind === 'embedded') await install();
  return locked(run, async (client) => {
    if (!(await isMissing(client))) return [];
    if (run.database.kind === 'postgres') await install();
    const { rows } = await client.query<{ revision: number }>(
      'select max(id) as revision from graphile_worker.migrations',
    );
    const name = engineRecord(rows[0]?.revision ?? 0);
    await record(client, { name, sql: '', sha256: 'of graphile-worker itself' });
    return [name];
  });
}

async function applyFile(client: pg.PoolClient, file: MigrationFile): Promise<void> {
  await client.query(file.sql).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError(`migrations/${file.name} failed and was undone: ${reason}`, { cause });
  });
  await record(client, file);
}

async function record(client: pg.PoolClient, { name, sha256 }: MigrationFile): Promise<void> {
  const { rows } = await client.query<{ sha256: string }>(
    'select sha256 from canonry.migrations where name = $1',
    [name],
  );
  const replaced = rows[0]?.sha256;
  if (replaced !== undefined && replaced !== sha256) {
    await client.query(
      'insert into canonry.migrations (name, sha256) values ($1, $2) on conflict do nothing',
      [supersededRecord(name, replaced), replaced],
    );
  }
  await client.query(
    `insert into canonry.migrations (name, sha256) values ($1, $2)
     on conflict (name) do update set sha256 = excluded.sha256, applied_at = now()`,
    [name, sha256],
  );
}

/**
 * One transaction under the migrations' lock. The lock is the transaction's, not the session's:
 * it holds through a pooler in transaction mode as well, and goes when the process is killed.
 */
async function locked<T>(run: Run, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await run.pool.connect();
  try {
    await client.query('begin');
    await takeLock(client, run.deadline);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {}); // the connection may be what failed
    throw error;
  } finally {
    client.release();
  }
}

async function takeLock(client: pg.PoolClient, deadline: number): Promise<void> {
  const wait = Math.max(1, deadline - Date.now());
  await client.query(`set local lock_timeout = ${wait}`);
  await client.query(`select pg_advisory_xact_lock(${advisoryLockKey})`).catch((cause: unknown) => {
    if (!hasCode(cause, '55P03')) throw cause;
    throw new MigrationError(
      'Another process is migrating this database and did not finish in time. ' +
        'Wait for it, or look for it in pg_locks (locktype advisory), then start again.',
      { cause },
    );
  });
  await client.query(`set local lock_timeout = ${databaseLimits.migrationTableLockMs}`);
}

async function readApplied(client: pg.Pool | pg.PoolClient): Promise<AppliedMigrations> {
  const { rows } = await client
    .query<{ name: string; sha256: string }>('select name, sha256 from canonry.migrations')
    .catch((error: unknown) => ({ rows: emptyWhenMissing(error) }));
  return new Map(rows.map(({ name, sha256 }) => [name, sha256]));
}

/** Before the first migration there is no table to read. */
function emptyWhenMissing(error: unknown): { name: string; sha256: string }[] {
  if (hasCode(error, '42P01') || hasCode(error, '3F000')) return [];
  throw error;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function isUpToDate(plan: MigrationPlan): boolean {
  return describePlan(plan).length === 0;
}
