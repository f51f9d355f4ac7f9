/** Two API replicas and a worker on one database; one replica's way to the database is counted. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../../src/config/load.ts';
import { startDevChain, type DevChain } from '../../../src/dev-chain/start.ts';
import { createApi } from '../../../src/entry/compose/api.ts';
import { openConfiguredDatabase } from '../../../src/entry/database.ts';
import { listen } from '../../../src/entry/listen.ts';
import { createLog } from '../../../src/observability/log.ts';
import { startNode } from '../../support/spawn.ts';
import { startCountingProxy, type CountingProxy } from '../../support/counting-proxy.ts';

export interface EdgeStage {
  /** The replica that is measured. */
  url: string;
  /** The replica that arranges what a measured request needs: the other one remembers nothing. */
  otherUrl: string;
  chain: DevChain;
  database: CountingProxy;
  close(): Promise<void>;
}

const log = createLog('silent', {});

/** @param databaseUrl a migrated database, which the caller drops. */
export async function openEdgeStage(databaseUrl: string): Promise<EdgeStage> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-edge-'));
  const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  const proxy = await startCountingProxy(databaseUrl);
  const environment = {
    GUARDIAN_NETWORK_TYPE: 'local',
    // what is measured or shaken here is not one client's share
    GUARDIAN_RATE_LIMIT_ENABLED: 'false',
    GUARDIAN_MIDEN_RPC_ENDPOINT: chain.url,
    GUARDIAN_DASHBOARD_CURSOR_SECRET: '5c'.repeat(32),
    CANONRY_DATA_DIR: folder,
    CANONRY_COMPUTE_THREADS: '1',
    LOG_LEVEL: 'warn',
  };
  const openApi = async (url: string) => {
    const config = loadConfig({
      ...environment,
      DATABASE_URL: url,
      // each connection learns a statement once; with one, the first round teaches them all
      GUARDIAN_DB_POOL_MAX_SIZE: '1',
    });
    const database = await openConfiguredDatabase(config, { applicationName: 'edge' });
    const api = await createApi(config, database, log);
    const server = await listen(api.app, '127.0.0.1', 0);
    const close = async () => {
      await server.close();
      await api.close();
      await database.close();
    };
    return { url: server.url, close };
  };
  const other = await openApi(databaseUrl);
  const measured = await openApi(proxy.url);
  const worker = startNode('src/entry/worker.ts', {
    env: { ...environment, DATABASE_URL: databaseUrl },
  });
  await worker.says(/worker ready/);
  return {
    url: measured.url,
    otherUrl: other.url,
    chain,
    database: proxy,
    async close() {
      worker.child.kill('SIGTERM');
      await Promise.all([measured.close(), other.close(), worker.exit]);
      await proxy.close();
      await chain.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
