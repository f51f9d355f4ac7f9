import path from 'node:path';
import { chainOf, type Config } from '../config/load.ts';
import type { Database } from '../database/connect.ts';
import { migrate } from '../database/migrate.ts';
import { startDevChain, type DevChain } from '../dev-chain/start.ts';
import { superviseWorker } from '../kernel/supervise.ts';
import type { Log } from '../observability/log.ts';
import { createApi } from './compose/api.ts';
import { openMetrics } from './compose/metrics.ts';
import { assertNotProduction } from './compose/shared.ts';
import { createWorker } from './compose/worker.ts';
import { openConfiguredDatabase } from './database.ts';
import { listen } from './listen.ts';

/** API, worker and (unless a node is configured) a development chain, in this process. */
export interface Stack {
  url: string;
  /** Where the development chain listens; undefined when another node is configured. */
  chainUrl: string | undefined;
  description: string;
  close(): Promise<void>;
}

/**
 * Starts everything in one process. The embedded database is migrated here: it belongs to this
 * process alone. Postgres is not: `npm run migrate` does that.
 *
 * @throws ConfigError in the prod stage, and whatever keeps a part from starting.
 */
export async function startStack(base: Config, log: Log): Promise<Stack> {
  assertNotProduction(base, 'The all-in-one process');
  const local: Config = { ...base, GUARDIAN_NETWORK_TYPE: base.GUARDIAN_NETWORK_TYPE ?? 'local' };
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const chain = await startChain(local);
    if (chain) closers.push(() => chain.close());
    const config: Config = chain ? { ...local, GUARDIAN_MIDEN_RPC_ENDPOINT: chain.url } : local;
    const database = await openConfiguredDatabase(config, {
      applicationName: 'canonry-all-in-one',
    });
    closers.push(() => database.close());
    if (database.kind === 'embedded') await takeOver(database);
    const { metrics, close: closeMetrics } = await openMetrics(config, database, log, true);
    closers.push(closeMetrics);
    const api = await createApi(config, database, log, metrics);
    closers.push(() => api.close());
    const worker = await superviseWorker(() => createWorker(config, database, log, metrics), log);
    closers.push(() => worker.stop());
    const server = await listen(api.app, config.HOST, config.PORT);
    closers.push(() => server.close());
    return {
      url: server.url,
      chainUrl: chain?.url,
      description: `${database.description}, ${chain ? `development chain at ${chain.url}` : new URL(chainOf(config).endpoint).origin}`,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startChain(config: Config): Promise<DevChain | undefined> {
  if (config.GUARDIAN_MIDEN_RPC_ENDPOINT || config.GUARDIAN_NETWORK_TYPE !== 'local') {
    return undefined;
  }
  return startDevChain({
    host: config.HOST,
    port: config.CANONRY_DEV_CHAIN_PORT,
    file: path.join(config.CANONRY_DATA_DIR, 'dev-chain.json'),
  });
}

/**
 * The directory lock says that no other process works on this database: whatever a killed one
 * held is free at once, without waiting for its heartbeat to grow old.
 */
async function takeOver(database: Database): Promise<void> {
  await migrate(database);
  await database.sql`select canonry.take_over()`;
}
