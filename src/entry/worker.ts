/** `npm run worker`: a machine that runs the task files. Start as many as you like. */
import process from 'node:process';
import { Hono } from 'hono';
import { assertProductionReady, ConfigError, loadConfig } from '../config/load.ts';
import { errorHandler, routeNotFound } from '../http/errors.ts';
import { healthRoutes } from '../http/health.ts';
import { mountRoutes } from '../http/routes.ts';
import { superviseWorker } from '../kernel/supervise.ts';
import { kernelLimits } from '../limits.ts';
import { createLog } from '../observability/log.ts';
import { openMetrics } from './compose/metrics.ts';
import { checkReadiness } from './compose/shared.ts';
import { createWorker } from './compose/worker.ts';
import { openConfiguredDatabase } from './database.ts';
import { listen, type Listening } from './listen.ts';
import { runUntilSignal } from './shutdown.ts';

await runUntilSignal(async () => {
  const config = loadConfig(process.env);
  assertProductionReady(config);
  if (!config.DATABASE_URL && !config.DIRECT_DATABASE_URL) {
    throw new ConfigError('Set DATABASE_URL: the embedded database belongs to one process.');
  }
  const log = createLog(config.LOG_LEVEL, { role: 'worker' });
  const database = await openConfiguredDatabase(config, {
    applicationName: 'canonry-worker',
    direct: true,
    lockTimeoutMs: kernelLimits.lockWaitMs,
  });
  const metrics = await openMetrics(config, database, log, true);
  const worker = await superviseWorker(
    () => createWorker(config, database, log, metrics.metrics),
    log,
  );
  let health: Listening | undefined;
  if (config.CANONRY_WORKER_HEALTH_PORT !== undefined) {
    const app = new Hono();
    mountRoutes(
      app,
      healthRoutes(() => checkReadiness(database, log)),
    );
    app.notFound(routeNotFound);
    app.onError(errorHandler(log));
    health = await listen(app, config.HOST, config.CANONRY_WORKER_HEALTH_PORT);
  }
  console.log(`canonry worker ready${health ? ` at ${health.url}` : ''}`);
  return {
    log,
    async close() {
      await worker.stop();
      await health?.close();
      await metrics.close();
      await database.close();
    },
  };
});
