import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { postgresBinaries, runAs, type PostgresVersion } from './postgres-binaries.ts';

export interface ClusterOptions {
  version?: PostgresVersion;
  /** Keep fsync and synchronous_commit: for tests that kill the server. */
  durable?: boolean;
  /** More `name=value` settings for the command line. */
  settings?: string[];
}

/** A Postgres server of its own, on a free port of 127.0.0.1, that trusts everybody. */
export interface Cluster {
  port: number;
  directory: string;
  url(database?: string): string;
  /** Orderly: open transactions are cut off, nothing committed is lost. */
  stop(): Promise<void>;
  /** As `kill -9` of the whole server would. */
  kill(): Promise<void>;
  /** Starts it again on the same data and the same port, after stop or kill. */
  start(): Promise<void>;
  /** Stops it and deletes its data. */
  remove(): Promise<void>;
}

/** The run's clusters have a migrated database of this name, to make copies of. */
export const templateDatabase = 'migrated_template';

const fastSettings = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_wal_size=2GB',
];

/** Initializes and starts a server; about half a second. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const bin = postgresBinaries(options.version ?? 18);
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-cluster-'));
  if (runAs.uid !== undefined) fs.chownSync(directory, runAs.uid, runAs.gid);
  const data = path.join(directory, 'data');
  const environment = { ...process.env, LC_ALL: 'C', HOME: directory };
  await promisify(execFile)(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...runAs, env: environment, cwd: directory },
  );
  const port = await freePort();
  const settings = [
    'listen_addresses=127.0.0.1',
    'max_connections=200',
    'shared_buffers=64MB',
    ...(options.durable === true ? [] : fastSettings),
    ...(options.settings ?? []),
  ].flatMap((setting) => ['-c', setting]);
  let server: ChildProcess | undefined;
  const launch = () =>
    spawn(
      path.join(bin, 'postgres'),
      ['-D', data, '-p', String(port), '-k', directory, ...settings],
      { ...runAs, env: environment, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
    );
  const end = async (signal: NodeJS.Signals) => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  };
  const atExit = () => server?.kill('SIGQUIT');
  process.on('exit', atExit);
  const cluster: Cluster = {
    port,
    directory,
    url: (database = 'postgres') => `postgres://postgres@127.0.0.1:${port}/${database}`,
    stop: () => end('SIGINT'),
    async kill() {
      // its backends would answer on until they notice
      if (server?.pid !== undefined) killBackends(server.pid);
      await end('SIGKILL');
    },
    async start() {
      server = await launchUntilReady(launch);
    },
    async remove() {
      await end('SIGQUIT');
      process.off('exit', atExit);
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
  await cluster.start();
  return cluster;
}

/** The server is stopped first, so that it starts no further one meanwhile. */
function killBackends(server: number): void {
  process.kill(server, 'SIGSTOP');
  const list = `/proc/${server}/task/${server}/children`;
  if (!fs.existsSync(list)) return;
  for (const pid of fs.readFileSync(list, 'utf8').split(' ').filter(Boolean)) {
    process.kill(Number(pid), 'SIGKILL');
  }
}

/** After a kill the old backends need a moment to notice; until then a new server refuses. */
async function launchUntilReady(launch: () => ChildProcess): Promise<ChildProcess> {
  for (let attempt = 0; ; attempt++) {
    const server = launch();
    const failure = await ready(server);
    if (failure === undefined) return server;
    const oldOneLives = /shared memory block|is still in use|already in use/.test(failure);
    if (!oldOneLives || attempt === 50) throw new Error(`Postgres does not start: ${failure}`);
    await sleep(100);
  }
}

/** Undefined when the server takes connections, else what it said before it ended. */
function ready(server: ChildProcess): Promise<string | undefined> {
  let said = '';
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('exit', (code, signal) => resolve(`${code ?? signal}: ${said}`));
    server.stderr?.on('data', (bytes: Uint8Array) => {
      if (said.length < 100_000) said += new TextDecoder().decode(bytes);
      if (said.includes('database system is ready to accept connections')) resolve(undefined);
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      if (address === null || typeof address === 'string') throw new Error('not a TCP port');
      probe.close(() => resolve(address.port));
    });
  });
}
