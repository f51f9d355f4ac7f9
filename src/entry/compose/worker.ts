import type { GraphileConfig } from 'graphile-config';
import { chainOf, ConfigError, loadConfig, type Config } from '../../config/load.ts';
import type { Replica } from '../../coordination/replicas.ts';
import { engineUrl, type Database } from '../../database/connect.ts';
import { assertMigrated } from '../../database/migrate.ts';
import { lineWrites } from '../../guardian/deltas/line-writes.ts';
import { provideCanonicalization } from '../../guardian/task-context.ts';
import { HeldLines } from '../../kernel/held-lines.ts';
import { createLiveness, type Liveness } from '../../kernel/liveness.ts';
import { startWorker, workerPreset, type Worker } from '../../kernel/worker.ts';
import { kernelLimits } from '../../limits.ts';
import { createLog, type Log } from '../../observability/log.ts';
import { unobserved, type Metrics } from '../../observability/metrics.ts';
import { openConfiguredDatabase } from '../database.ts';
import { joinFleetAsWorker } from './coordination.ts';
import { kernelEvents, openMetrics } from './metrics.ts';
import { midenNode } from './shared.ts';

/** The parts of a worker: our own process and the stock CLI use the same. */
function workerParts(
  config: Config,
  database: Database,
  log: Log,
  metrics: Metrics,
  onStopped?: (liveness: Liveness) => Promise<void>,
): { preset: GraphileConfig.Preset; liveness: Liveness } {
  const chain = chainOf(config);
  const node = midenNode(config, chain.endpoint, metrics);
  const events = kernelEvents(metrics);
  const held = new HeldLines();
  provideCanonicalization({
    held,
    sql: database.sql,
    writes: lineWrites(database.sql, (operation, size) =>
      metrics.observe('canonry_group_size', { operation }, size),
    ),
    network: { commitmentOnChain: (accountId) => node.accountCommitment(accountId) },
    wakeQueue: config.WAKE_QUEUE,
    retainedTtlSeconds: config.GUARDIAN_CANONICALIZATION_RETAINED_TTL_SECONDS,
    reconcileIntervalSeconds: config.GUARDIAN_CANONICALIZATION_RECONCILE_INTERVAL_SECONDS,
    log,
    metrics,
    events,
  });
  const liveness = createLiveness(database.sql, log, held, { events });
  const preset = workerPreset({
    concurrency: config.CANONRY_WORKER_CONCURRENCY,
    liveness,
    log,
    ...(onStopped ? { onStopped: () => onStopped(liveness) } : {}),
  });
  return { preset, liveness };
}

/** @throws ConfigError, MigrationError */
export async function createWorker(
  config: Config,
  database: Database,
  log: Log,
  metrics: Metrics = unobserved,
): Promise<Worker> {
  await assertMigrated(database.sql);
  const { preset, liveness } = workerParts(config, database, log, metrics);
  const worker = await startWorker(preset, database, liveness, log);
  const replica = joinFleetAsWorker(config, database, log);
  // whoever starts it again joins again
  worker.ended.catch(() => replica.leave());
  return {
    ended: worker.ended,
    async stop() {
      await Promise.all([worker.stop(), replica.leave()]);
    },
  };
}

/**
 * The preset of the stock graphile-worker CLI, which opens its own pool on the direct URL.
 * @throws ConfigError
 */
export async function workerPresetFromEnvironment(
  env: Record<string, string | undefined>,
): Promise<GraphileConfig.Preset> {
  const config = loadConfig(env);
  const connectionString = config.DIRECT_DATABASE_URL ?? config.DATABASE_URL;
  if (!connectionString) {
    throw new ConfigError('Set DATABASE_URL: the embedded database belongs to one process.');
  }
  const log = createLog(config.LOG_LEVEL, { role: 'worker' });
  const database = await openConfiguredDatabase(config, {
    applicationName: 'canonry-graphile-cli',
    direct: true,
    lockTimeoutMs: kernelLimits.lockWaitMs,
  });
  const { metrics, close } = await openMetrics(config, database, log, false);
  let replica: Replica | undefined;
  const { preset } = workerParts(config, database, log, metrics, async (liveness) => {
    await Promise.all([liveness.retire(), replica?.leave()]);
    await close();
    await database.close();
  });
  // the CLI reads this preset also for commands that run no jobs
  const fleetPlugin: GraphileConfig.Plugin = {
    name: 'CanonryFleetPlugin',
    version: '1.0.0',
    worker: {
      hooks: {
        startWorker() {
          replica ??= joinFleetAsWorker(config, database, log);
        },
      },
    },
  };
  return {
    ...preset,
    plugins: [...(preset.plugins ?? []), fleetPlugin],
    worker: { ...preset.worker, connectionString: engineUrl(connectionString) },
  };
}
