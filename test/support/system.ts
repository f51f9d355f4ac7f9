/**
 * Whole systems for tests: real processes of the project on a real database, and a development
 * chain in the test's own process, so that a test decides what the chain shows.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startDevChain, type DevChain } from '../../src/dev-chain/start.ts';
import { createDatabase } from './databases.ts';
import { startDeno, startNode, type RunningProcess } from './process.ts';

export type Runtime = 'node' | 'deno';
export type Storage = 'embedded' | 15 | 18;

export interface System {
  url: string;
  chain: DevChain;
  /** The API process, and the worker; one and the same on the embedded database. */
  api: RunningProcess;
  worker: RunningProcess;
  stop(): Promise<void>;
}

const readyLine = /ready at (http:\/\/[^\s]+)/;

/** The variables of a process that talks to this chain and keeps its files in `folder`. */
export function systemEnvironment(
  folder: string,
  chain: Pick<DevChain, 'url'>,
): Record<string, string> {
  return {
    GUARDIAN_NETWORK_TYPE: 'local',
    GUARDIAN_MIDEN_RPC_ENDPOINT: chain.url,
    CANONRY_DATA_DIR: folder,
    PORT: '0',
    LOG_LEVEL: 'warn',
  };
}

/** Starts API and worker on the runtime and database asked for; about two seconds. */
export async function startSystem(
  runtime: Runtime,
  storage: Storage,
  extra: Record<string, string> = {},
): Promise<System> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-system-'));
  const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  const environment = { ...systemEnvironment(folder, chain), ...extra };
  const start = runtime === 'deno' ? startDeno : startNode;
  const running: RunningProcess[] = [];
  let drop = async () => {};
  if (storage === 'embedded') {
    running.push(start('src/entry/dev.ts', { env: environment }));
  } else {
    const database = await createDatabase({ version: storage });
    drop = () => database.drop();
    const env = { ...environment, DATABASE_URL: database.url };
    const api = runtime === 'deno' ? 'src/entry/api.deno.ts' : 'src/entry/api.ts';
    running.push(start(api, { env }), startNode('src/entry/worker.ts', { env }));
  }
  const [api, worker = api] = running as [RunningProcess, RunningProcess?];
  const [, url = ''] = await api.says(readyLine);
  if (worker !== api) await worker.says(/worker ready/);
  return {
    url,
    chain,
    api,
    worker,
    async stop() {
      for (const { child } of running) child.kill('SIGTERM');
      await Promise.all(running.map(({ exit }) => exit));
      await chain.close();
      await drop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
