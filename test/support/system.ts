/**
 * Whole systems for tests: real processes of the project on a real database, and a development
 * chain in the test's own process, so that a test decides what the chain shows.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startDevChain, type DevChain } from '../../src/dev-chain/start.ts';
import { startFleet, type Runtime } from '../cluster/fleet.ts';
import { createDatabase } from './databases.ts';
import { systemEnvironment } from './environment.ts';
import { createLogins } from './roles.ts';
import { startDeno, startNode } from './spawn.ts';

export { systemEnvironment } from './environment.ts';
export type { Runtime } from '../cluster/fleet.ts';

/** One process or replica on this runtime, or two on Node and one on Deno taking turns. */
export type Replicas = Runtime | 'three replicas';
export type Storage = 'embedded' | 15 | 18;

export interface System {
  url: string;
  chain: DevChain;
  stop(): Promise<void>;
}

/**
 * Starts API and worker on the runtime and database asked for, with a worker process of its own
 * but on the embedded database; about two seconds.
 */
export async function startSystem(
  replicas: Replicas,
  storage: Storage,
  extra: Record<string, string> = {},
): Promise<System> {
  if (storage === 'embedded') return startEmbedded(replicas, extra);
  const database = await createDatabase({ version: storage });
  // replicas run as they should in production: API and worker with the rights of their part
  const logins = replicas === 'three replicas' ? await createLogins(database.url) : undefined;
  const fleet = await startFleet({
    api: { node: 1, deno: 0, 'three replicas': 2 }[replicas],
    deno: replicas === 'node' ? 0 : 1,
    workers: 1,
    databaseUrl: logins?.url.api ?? database.url,
    env: { ...extra, ...(logins && { DIRECT_DATABASE_URL: logins.url.worker }) },
  });
  const [first] = fleet.apis();
  return {
    // one replica is asked without anything in between
    url: replicas === 'three replicas' || !first ? fleet.url : first.url,
    chain: fleet.chain,
    async stop() {
      await fleet.stop();
      await database.drop();
      await logins?.drop();
    },
  };
}

/** API and worker in one process. */
async function startEmbedded(replicas: Replicas, extra: Record<string, string>): Promise<System> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-system-'));
  const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  const start = replicas === 'deno' ? startDeno : startNode;
  const env = { ...systemEnvironment(folder, chain), ...extra };
  const { child, says, exit } = start('src/entry/dev.ts', { env });
  const [, url = ''] = await says(/ready at (http:\/\/[^\s]+)/);
  return {
    url,
    chain,
    async stop() {
      child.kill('SIGTERM');
      await exit;
      await chain.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
