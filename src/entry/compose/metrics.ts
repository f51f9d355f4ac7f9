/** Metrics of one process: the registry, its listener, and the counts taken in the background. */
import type { Config } from '../../config/load.ts';
import type { Database } from '../../database/connect.ts';
import type { MidenNodeWatcher } from '../../guardian/networks/miden/rpc/node.ts';
import { countStored } from '../../guardian/operators/info.ts';
import { metricsApp } from '../../http/metrics.ts';
import type { KernelEvents } from '../../kernel/events.ts';
import { errorFields, type Log } from '../../observability/log.ts';
import { unobserved, type Metrics } from '../../observability/metrics.ts';
import type { Prometheus } from '../../observability/prometheus.ts';
import { listen } from '../listen.ts';
import { gitCommit, version } from '../version.ts';

export interface OpenMetrics {
  metrics: Metrics;
  close(): Promise<void>;
}

/**
 * Serves metrics where GUARDIAN_METRICS_ENABLED says so; counts nothing where it does not.
 * @param runsJobs whether the database's worker pool is used by this process.
 * @throws Error naming GUARDIAN_METRICS_ADDR when the address is taken.
 */
export async function openMetrics(
  config: Config,
  database: Database,
  log: Log,
  runsJobs: boolean,
): Promise<OpenMetrics> {
  if (!config.GUARDIAN_METRICS_ENABLED) return { metrics: unobserved, close: async () => {} };
  const { openPrometheus } = await import('../../observability/prometheus.ts');
  const prometheus = openPrometheus();
  const { metrics } = prometheus;
  metrics.set('guardian_build_info', { version, git_commit: gitCommit }, 1);
  if (runsJobs) watchJobPool(prometheus, database);
  const { host, port } = config.GUARDIAN_METRICS_ADDR;
  const app = metricsApp(prometheus, {
    path: config.GUARDIAN_METRICS_PATH,
    bearerToken: config.GUARDIAN_METRICS_BEARER_TOKEN,
  });
  const listener = await listen(app, host, port, 'GUARDIAN_METRICS_ADDR');
  log.info({ url: `${listener.url}${config.GUARDIAN_METRICS_PATH}` }, 'metrics');
  const refresher = refreshRegularly(config, database, metrics, log);
  return {
    metrics,
    async close() {
      await refresher.stop();
      await listener.close();
    },
  };
}

/** The numbers are the pool's own, read when they are asked for. */
function watchJobPool({ metrics, beforeText }: Prometheus, database: Database): void {
  beforeText(() => {
    const pool = database.workerPool();
    metrics.set('guardian_db_pool_connections', { pool: 'jobs' }, pool.totalCount);
    metrics.set('guardian_db_pool_max', { pool: 'jobs' }, pool.options.max);
    metrics.set('guardian_db_pool_available', { pool: 'jobs' }, pool.idleCount);
    metrics.set('guardian_db_pool_pending_acquires', { pool: 'jobs' }, pool.waitingCount);
  });
}

/** Scrapes read what the last round has counted: a scraper cannot ask the database anything. */
function refreshRegularly(config: Config, { sql }: Database, metrics: Metrics, log: Log) {
  let round: Promise<void> | undefined;
  const refresh = async () => {
    const { accounts, deltas, proposals } = await countStored(sql);
    const { evm = 0, miden_falcon = 0, miden_ecdsa = 0 } = accounts;
    metrics.set('guardian_accounts', { kind: 'evm' }, evm);
    metrics.set('guardian_accounts', { kind: 'miden' }, miden_falcon + miden_ecdsa);
    for (const status of ['candidate', 'canonical', 'retained', 'discarded'] as const) {
      metrics.set('guardian_deltas', { status }, deltas[status] ?? 0);
    }
    metrics.set('guardian_proposals_in_flight', {}, proposals);
    metrics.set('guardian_metrics_refresh_timestamp_seconds', {}, Date.now() / 1_000);
  };
  const start = () => {
    // a slow round is never overtaken by the next one
    round ??= refresh()
      .catch((error: unknown) => {
        metrics.count('guardian_metrics_refresh_failures_total', {});
        log.warn(errorFields(error), 'the counts for metrics failed');
      })
      .finally(() => {
        round = undefined;
      });
  };
  start();
  const timer = setInterval(start, config.GUARDIAN_METRICS_REFRESH_INTERVAL_SECS * 1_000);
  return {
    async stop() {
      clearInterval(timer);
      await round;
    },
  };
}

export function midenNodeWatcher(metrics: Metrics): MidenNodeWatcher {
  const operation = 'get_account';
  return {
    looked(outcome, seconds) {
      metrics.count('guardian_miden_rpc_requests_total', { operation, outcome });
      metrics.observe('guardian_miden_rpc_duration_seconds', { operation }, seconds);
    },
    retried: () => metrics.count('guardian_miden_rpc_retries_total', { operation }),
  };
}

export function kernelEvents(metrics: Metrics): KernelEvents {
  return {
    linesWoken: (lines) => metrics.count('canonry_lines_woken_by_sweep_total', {}, lines),
    workerRetired: () => metrics.count('canonry_workers_retired_total', {}),
    decisionFailed: () => metrics.count('canonry_decisions_failed_total', {}),
  };
}
