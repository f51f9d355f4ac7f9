import process from 'node:process';
import pg from 'pg';
import postgres from 'postgres';
import { databaseLimits } from '../limits.ts';
import { openEmbedded } from './embedded/open.ts';
import {
  describeTarget,
  isSameServer,
  parsePostgresUrl,
  type PostgresTarget,
} from './postgres-url.ts';
import { endSilentConnections } from './silent-connections.ts';

/** Enough for one busy process; a database's connections are shared by all machines. */
const defaultPoolSize = 10;

/**
 * A session keeps the plans of its prepared statements, the job engine's included. What was planned
 * while a table was small must not read it from end to end when it has grown; the functions of
 * migrations/functions say the same for themselves.
 */
const keptPlans = { enable_seqscan: 'off', jit: 'off' };

/** The engine's statements join: with few rows any index will do, so they are planned each time. */
const enginePlans = { ...keptPlans, plan_cache_mode: 'force_custom_plan' };

/** Queries through postgres.js; int8 comes and goes as bigint, never as a rounded number. */
export type Sql = postgres.Sql<{ bigint: bigint }>;

export interface DatabaseOptions {
  /** Postgres, possibly through a pooler; without it the embedded database is opened. */
  databaseUrl?: string | undefined;
  /**
   * The same database without a pooler, for LISTEN, the workers and migrations. When it names
   * another server than `databaseUrl` (the user may differ), that one is taken to be a pooler:
   * nothing is then set on its sessions.
   */
  directDatabaseUrl?: string | undefined;
  /** Directory of the embedded database; in memory when left out. */
  embeddedDirectory?: string | undefined;
  /** A dump to begin the embedded database with. */
  embeddedTemplate?: Blob | undefined;
  /** Shown in pg_stat_activity. */
  applicationName?: string | undefined;
  /** Connections of `sql` (default 10). */
  maxConnections?: number | undefined;
  /** Connections of `workerPool()` (default 10). */
  maxWorkerConnections?: number | undefined;
  /**
   * Lets the server remember statements: one round trip a query instead of two. Off, because
   * poolers in transaction mode hand the next query to a session that never saw the statement.
   */
  preparedStatements?: boolean | undefined;
  /** The server ends statements that run longer. Not for poolers nor the embedded database. */
  statementTimeoutMs?: number | undefined;
  /** The server ends statements of `sql` that wait longer for a lock; as above. Default: no bound. */
  lockTimeoutMs?: number | undefined;
  /** A connection at rest broke; the pools open a new one. Default: a line on stderr. */
  onConnectionError?: ((error: unknown) => void) | undefined;
  /** The embedded engine failed. Default: a line on stderr and exit code 70. */
  onEmbeddedFailure?: ((error: Error) => void) | undefined;
}

export interface Database {
  kind: 'postgres' | 'embedded';
  /** For people: where the data is. Holds no user and no password. */
  description: string;
  sql: Sql;
  /** The pool for graphile-worker, on the direct URL; made at the first call, ended by close. */
  workerPool(): pg.Pool;
  /** A pool without statement timeout, for migrate(); the caller ends it. As `role`, if given. */
  migrationPool(role?: string): pg.Pool;
  /** The embedded data directory as a tar archive; refused on Postgres. */
  dumpEmbedded(): Promise<Blob>;
  /** Ends every connection; queries under way get closeSeconds. */
  close(): Promise<void>;
}

/**
 * Opens the database that the options name: Postgres, or PGlite in this process.
 *
 * No connection is made before the first query, except that the embedded database starts at
 * once. Throws DatabaseUrlError and DirectoryInUseError.
 *
 * On the embedded database there is one session: never query `sql` inside `sql.begin` (use the
 * transaction's own), use SET LOCAL only, and transaction-level advisory locks only.
 */
export async function openDatabase(options: DatabaseOptions = {}): Promise<Database> {
  const backend =
    options.databaseUrl === undefined
      ? await embeddedBackend(options)
      : postgresBackend(options.databaseUrl, options);
  return assemble(backend, options);
}

/** What differs between the two kinds of database. */
interface Backend extends Pick<Database, 'kind' | 'description' | 'sql' | 'dumpEmbedded'> {
  /** `settings` of its sessions, by name. */
  openPool(options: {
    max: number;
    statementTimeoutMs?: number;
    settings?: Readonly<Record<string, string>>;
  }): pg.Pool;
  close(): Promise<void>;
}

function assemble(backend: Backend, options: DatabaseOptions): Database {
  const pools = new Set<pg.Pool>();
  let workerPool: pg.Pool | undefined;
  const openPool: Backend['openPool'] = (poolOptions) => {
    const pool = backend.openPool(poolOptions);
    // graphile-worker insists on both: a broken connection at rest must not end the process.
    pool.on('error', onConnectionError(options));
    pool.on('connect', (client) => client.on('error', onConnectionError(options)));
    pools.add(pool);
    return pool;
  };
  const { kind, description, sql, dumpEmbedded } = backend;
  return {
    kind,
    description,
    sql,
    dumpEmbedded,
    workerPool: () =>
      (workerPool ??= openPool({
        max: options.maxWorkerConnections ?? defaultPoolSize,
        statementTimeoutMs: options.statementTimeoutMs ?? databaseLimits.statementMs,
        settings: enginePlans,
      })),
    migrationPool: (role) =>
      openPool({ max: 2, ...(role !== undefined && { settings: { role } }) }),
    async close() {
      await sql.end({ timeout: databaseLimits.closeSeconds });
      await Promise.all([...pools].filter((pool) => !pool.ended).map((pool) => pool.end()));
      await backend.close();
    },
  };
}

function postgresBackend(databaseUrl: string, options: DatabaseOptions): Backend {
  const target = parsePostgresUrl(databaseUrl);
  const direct = parsePostgresUrl(options.directDatabaseUrl ?? databaseUrl);
  const pooled = !isSameServer(target, direct);
  const applicationName = options.applicationName ?? 'canonry';
  return {
    kind: 'postgres',
    description: describeTarget(target),
    sql: postgres({
      ...sqlOptions(options),
      ...driverTarget(target),
      password: target.password ?? '',
      prepare: options.preparedStatements ?? false,
      connect_timeout: databaseLimits.connectSeconds,
      // the driver's own waits up to 20 s, long after the database is back, and a stop with it
      backoff: (failures: number) => Math.min(0.05 * 2 ** failures, databaseLimits.backoffSeconds),
      idle_timeout: databaseLimits.idleSeconds,
      max_lifetime: databaseLimits.lifetimeSeconds,
      connection: {
        application_name: applicationName,
        // Poolers refuse start-up parameters they do not track; there the role has the bound.
        ...(!pooled && {
          ...keptPlans,
          statement_timeout: options.statementTimeoutMs ?? databaseLimits.statementMs,
          ...(options.lockTimeoutMs !== undefined && { lock_timeout: options.lockTimeoutMs }),
        }),
      },
    }),
    openPool({ max, statementTimeoutMs, settings = {} }) {
      const pool = new pg.Pool({
        ...driverTarget(direct),
        password: direct.password ?? '',
        max,
        application_name: applicationName,
        keepAlive: true,
        keepAliveInitialDelayMillis: databaseLimits.keepAliveMs,
        connectionTimeoutMillis: databaseLimits.connectSeconds * 1000,
        ...(statementTimeoutMs !== undefined && { statement_timeout: statementTimeoutMs }),
        options: startOptions(settings),
      });
      if (statementTimeoutMs !== undefined) {
        endSilentConnections(pool, statementTimeoutMs + databaseLimits.answerGraceMs);
      }
      return pool;
    },
    dumpEmbedded: () => Promise.reject(new Error('Only the embedded database can be dumped')),
    close: () => Promise.resolve(),
  };
}

async function embeddedBackend(options: DatabaseOptions): Promise<Backend> {
  const { embeddedDirectory } = options;
  const embedded = await openEmbedded({
    directory: embeddedDirectory,
    template: options.embeddedTemplate,
    onFatal: options.onEmbeddedFailure ?? endProcess,
    onUpkeepError: onConnectionError(options),
  });
  const session = { host: 'embedded', user: 'postgres', database: 'postgres' };
  // Not written in place: `socket` is in the driver's manual but not in its types. No timeouts:
  // the session is shared, and a timeout of one client would hit them all.
  const throughHub = {
    ...sqlOptions(options),
    ...session,
    max_lifetime: null,
    socket: () => embedded.connect(),
  };
  return {
    kind: 'embedded',
    description: `embedded ${embeddedDirectory ?? 'in memory'}`,
    sql: postgres(throughHub),
    openPool: ({ max }) => new pg.Pool({ ...session, max, stream: () => embedded.connect() }),
    dumpEmbedded: () => embedded.dump(),
    close: () => embedded.close(),
  };
}

function sqlOptions(options: DatabaseOptions) {
  return {
    max: options.maxConnections ?? defaultPoolSize,
    types: { bigint: postgres.BigInt },
    onnotice: () => {}, // "relation already exists, skipping" is nothing to report
  };
}

function startOptions(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/** The URL with what the sessions of `workerPool` have, for an engine that opens its own pool. */
export function engineUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  const settings = { ...enginePlans, statement_timeout: String(databaseLimits.statementMs) };
  url.searchParams.set('options', startOptions(settings));
  return url.toString();
}

function driverTarget({ host, port, database, user, ssl }: PostgresTarget) {
  return { host, port, database, user, ssl };
}

function onConnectionError(options: DatabaseOptions): (error: unknown) => void {
  return (
    options.onConnectionError ??
    ((error) =>
      console.error('database connection:', error instanceof Error ? error.message : error))
  );
}

/** A restart recovers from the write-ahead log; going on could acknowledge what is not kept. */
function endProcess(error: Error): void {
  const { cause } = error;
  console.error(
    `${error.message}; ending the process`,
    cause instanceof Error ? cause.message : '',
  );
  process.exit(70);
}
