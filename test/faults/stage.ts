/** Databases of the lab: a durable server, and a fresh recorded database for each seed. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { openDatabase } from '../../src/database/connect.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import type { Change, FinalState } from './history.ts';

const template = 'lab_template';

export type LabSql = postgres.Sql;

/** A server with a template; runs on it follow one another. */
export interface Stage {
  cluster: Cluster;
  /** Keys of the service and whatever else its processes keep on disk. */
  folder: string;
  open(name: string, roles: readonly string[], mutant?: string): Promise<LabDatabase>;
  remove(): Promise<void>;
}

export interface LabDatabase {
  /** For one process of the lab; `port` when it goes through a proxy. */
  url(role: string, port?: number): string;
  /** As the server's owner; repeated while the server is away. */
  query<T extends object>(text: string): Promise<T[]>;
  drop(): Promise<void>;
}

/** Initializes a server and migrates the template; about two seconds. */
export async function openStage(): Promise<Stage> {
  // Processes are killed here, machines are not: what reached the kernel is kept without fsync.
  const settings = ['fsync=off', 'full_page_writes=off'];
  const cluster = await startCluster({ durable: true, settings });
  const database = await openDatabase({ databaseUrl: cluster.url() });
  await database.sql`create database ${database.sql(template)}`;
  await database.close();
  const templated = await openDatabase({ databaseUrl: cluster.url(template) });
  await migrate(templated);
  const recorder = fs.readFileSync(new URL('./recorder.sql', import.meta.url), 'utf8');
  await templated.sql.unsafe(recorder);
  await templated.close();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-lab-'));
  return {
    cluster,
    folder,
    open: (name, roles, mutant) => openLabDatabase(cluster, name, roles, mutant),
    async remove() {
      await cluster.remove();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openLabDatabase(
  cluster: Cluster,
  name: string,
  roles: readonly string[],
  mutant: string | undefined,
): Promise<LabDatabase> {
  const admin = postgres(cluster.url(), { max: 1, onnotice: () => {} });
  await admin`create database ${admin(name)} template ${admin(template)}`;
  const known = await admin<{ rolname: string }[]>`select rolname from pg_roles`;
  for (const role of roles) {
    if (known.some(({ rolname }) => rolname === role)) continue;
    // the owner's rights without being a superuser, so that connection limits apply
    await admin`create role ${admin(role)} login in role postgres`;
  }
  await admin.end();
  const sql = postgres(cluster.url(name), { max: 2, onnotice: () => {} });
  const query = <T extends object>(text: string) =>
    persistently(() => sql.unsafe<T[]>(text) as Promise<T[]>);
  if (mutant !== undefined) await query(mutant);
  return {
    url: (role, port = cluster.port) => `postgres://${role}@127.0.0.1:${port}/${name}`,
    query,
    async drop() {
      await sql.end({ timeout: 1 });
      const last = postgres(cluster.url(), { max: 1, onnotice: () => {} });
      await last`drop database ${last(name)} with (force)`;
      await last.end();
    },
  };
}

/** Repeats while the server is away or restarting; what it refuses is thrown. */
async function persistently<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      const away = /^(CONNECTION|ECONN|EPIPE|57P)/.test(code);
      if (!away || attempt === 100) throw error;
      await sleep(100);
    }
  }
}

export async function readChanges(database: LabDatabase): Promise<Change[]> {
  return database.query<Change>(`
    select seq::int, txid, (extract(epoch from at) * 1000)::float8 as at, writer, relation, key,
           before, after, head
    from lab.change order by seq`);
}

export async function readFinal(database: LabDatabase): Promise<FinalState> {
  return {
    deltas: await database.query(`
      select d.account_id, d.nonce::int, d.candidate_id::text, d.status, d.prev_commitment as prev,
             d.new_commitment as next, d.ack_signature as ack,
             array[d.retry_count, d.divergence_count, d.abandon_confirm_count] as evidence
      from guardian.delta d order by d.account_id, d.nonce`),
    accounts: await database.query('select account_id, commitment from guardian.account'),
    unresolved: await database.query(`
      select candidate_id::text, state, why, last_error
      from canonry.candidate where resolved_at is null order by candidate_id`),
    leftovers: await readLeftovers(database),
  };
}

/**
 * Locks, claims and heartbeats.
 * @param whose all of them: none may be there once every worker has stopped; or those of workers
 *   that are silent or retired: living workers free them; or those of one process, since it was
 *   started (milliseconds since the epoch): none may be there once it has stopped.
 */
export async function readLeftovers(
  database: LabDatabase,
  whose: 'all' | 'dead' | { process: string; since: number } = 'all',
): Promise<string[]> {
  const dead = 'worker not in (select worker_id from alive)';
  const chosen =
    typeof whose === 'string'
      ? `${whose === 'all'} or ${dead}`
      : `worker in (
          select key from lab.change where relation = 'worker' and after is not null
            and writer = '${whose.process}' and at >= to_timestamp(${whose.since} / 1000.0))`;
  const rows = await database.query<{ what: string }>(`
    with alive as (
      select worker_id from canonry.worker
      where beat_at > clock_timestamp() - interval '1.5 seconds'
    ), leftover as (
      select 'job ' || id || ' locked by ' || locked_by as what, locked_by as worker
        from graphile_worker.jobs where locked_by is not null
      union all
      select 'queue ' || queue_name || ' locked by ' || locked_by, locked_by
        from graphile_worker._private_job_queues where locked_by is not null
      union all
      select 'line ' || account || ' held by ' || holder, holder
        from canonry.line where holder is not null
      union all
      select 'heartbeat of ' || worker_id, worker_id from canonry.worker
    )
    select what from leftover where ${chosen}`);
  return rows.map(({ what }) => what);
}
