/**
 * Canonry as it is deployed: API replicas on Node and Deno behind a proxy that knows no sticky
 * sessions, workers, one Postgres, one chain; all of them real processes of the project, but for
 * chain and proxy. Replicas come and go while it runs.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startDevChain, type DevChain } from '../../src/dev-chain/start.ts';
import { openDatabase } from '../../src/database/connect.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startCluster } from '../support/cluster.ts';
import { systemEnvironment } from '../support/environment.ts';
import type { PostgresVersion } from '../support/postgres-binaries.ts';
import { startDeno, startNode, type RunningProcess } from '../support/spawn.ts';
import { startRotation, type Rotation } from './rotation.ts';

export type Runtime = 'node' | 'deno';

/** What a process that does not end is given before SIGKILL; its own deadline is 20 s. */
const stopDeadlineMs = 25_000;

export interface FleetOptions {
  /** API replicas on Node, and on Deno. */
  api: number;
  deno?: number;
  workers: number;
  /** A migrated database, which the caller drops; without it the fleet has a Postgres of its own. */
  databaseUrl?: string | undefined;
  postgres?: PostgresVersion;
  /** Further variables for every process. */
  env?: Record<string, string>;
  /** Port of the proxy; a free one when left out. */
  port?: number;
}

export interface ApiReplica {
  name: string;
  /** Its own address, beside the proxy's. */
  url: string;
  pid: number;
  runtime: Runtime;
}

export interface WorkerReplica {
  name: string;
  pid: number;
}

/** `kill` is SIGKILL; `drain` takes it out of the rotation and then ends it with SIGTERM. */
export type EndMode = 'kill' | 'drain';

export interface Fleet {
  /** Of the proxy. */
  url: string;
  databaseUrl: string;
  /** Where the replicas keep their keys. */
  folder: string;
  chain: DevChain;
  apis(): ApiReplica[];
  workers(): WorkerReplica[];
  /** Resolves when it is ready and in the rotation. */
  addApi(runtime: Runtime): Promise<ApiReplica>;
  addWorker(): Promise<WorkerReplica>;
  /**
   * Resolves with its exit code, or the signal's name, when it has ended.
   * @throws Error when there is no such replica.
   */
  end(name: string, mode: EndMode): Promise<number | string>;
  /** Ends everything and deletes what it wrote. */
  stop(): Promise<void>;
}

/** Starts a fleet; about two seconds. What was started is stopped when a part does not start. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const undo: (() => Promise<unknown> | void)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-fleet-'));
    undo.push(() => fs.rmSync(folder, { recursive: true, force: true }));
    const databaseUrl = options.databaseUrl ?? (await ownDatabase(options.postgres ?? 18, undo));
    const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
    undo.push(() => chain.close());
    const rotation = await startRotation(options.port);
    undo.push(() => rotation.close());
    const env = {
      ...systemEnvironment(folder, chain),
      DATABASE_URL: databaseUrl,
      GUARDIAN_DASHBOARD_CURSOR_SECRET: randomBytes(32).toString('hex'),
      ...options.env,
    };
    const members = new Members(rotation, env);
    undo.push(() => members.endAll());
    const times = <T>(count: number, start: () => Promise<T>) =>
      Array.from({ length: count }, start);
    await Promise.all([
      ...times(options.api, () => members.addApi('node')),
      ...times(options.deno ?? 0, () => members.addApi('deno')),
      ...times(options.workers, () => members.addWorker()),
    ]);
    return {
      url: rotation.url,
      databaseUrl,
      folder,
      chain,
      apis: () => members.apis(),
      workers: () => members.workers(),
      addApi: (runtime) => members.addApi(runtime),
      addWorker: () => members.addWorker(),
      end: (name, mode) => members.end(name, mode),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A Postgres of the fleet's own, migrated. */
async function ownDatabase(
  version: PostgresVersion,
  undo: (() => Promise<unknown> | void)[],
): Promise<string> {
  const cluster = await startCluster({ version });
  undo.push(() => cluster.remove());
  const database = await openDatabase({ databaseUrl: cluster.url() });
  try {
    await migrate(database);
  } finally {
    await database.close();
  }
  return cluster.url();
}

interface Member {
  name: string;
  process: RunningProcess;
  /** Of an API replica. */
  api?: { url: string; runtime: Runtime };
}

/** The processes; one that ends, for whatever reason, leaves the rotation and the list. */
class Members {
  readonly #rotation: Rotation;
  readonly #env: Record<string, string>;
  readonly #members = new Map<string, Member>();
  #apisSoFar = 0;
  #workersSoFar = 0;
  #ended = false;

  constructor(rotation: Rotation, env: Record<string, string>) {
    this.#rotation = rotation;
    this.#env = env;
  }

  apis(): ApiReplica[] {
    return [...this.#members.values()].flatMap(({ name, api, process: { pid } }) =>
      api ? [{ name, pid, ...api }] : [],
    );
  }

  workers(): WorkerReplica[] {
    return [...this.#members.values()].flatMap(({ name, api, process: { pid } }) =>
      api ? [] : [{ name, pid }],
    );
  }

  async addApi(runtime: Runtime): Promise<ApiReplica> {
    const name = `api-${(this.#apisSoFar += 1)}`;
    const [start, file] =
      runtime === 'deno' ? [startDeno, 'src/entry/api.deno.ts'] : [startNode, 'src/entry/api.ts'];
    const process = start(file, { env: this.#env });
    const api = { url: '', runtime };
    this.#join({ name, process, api });
    api.url = (await process.says(/ready at (http:\/\/\S+)\n/))[1] ?? '';
    this.#rotation.add({ name, url: api.url });
    return { name, pid: process.pid, ...api };
  }

  async addWorker(): Promise<WorkerReplica> {
    const name = `worker-${(this.#workersSoFar += 1)}`;
    const process = startNode('src/entry/worker.ts', { env: this.#env });
    this.#join({ name, process });
    await process.says(/worker ready/);
    return { name, pid: process.pid };
  }

  #join(member: Member): void {
    if (this.#ended) {
      member.process.child.kill('SIGKILL');
      throw new Error('the fleet is stopping');
    }
    this.#members.set(member.name, member);
    void member.process.exit.then(() => {
      this.#rotation.remove(member.name);
      this.#members.delete(member.name);
    });
  }

  async end(name: string, mode: EndMode): Promise<number | string> {
    const member = this.#members.get(name);
    if (!member) throw new Error(`there is no replica ${name}`);
    const { child, exit } = member.process;
    // the proxy is to find out by itself that a killed one is gone
    if (mode === 'drain') this.#rotation.remove(name);
    child.kill(mode === 'kill' ? 'SIGKILL' : 'SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    const how = await exit;
    clearTimeout(late);
    return how;
  }

  async endAll(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#members.keys()].map((name) => this.end(name, 'drain')));
  }
}
