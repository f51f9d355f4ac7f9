/** `npm run api`: the API under Node. */
import process from 'node:process';
import { assertProductionReady, loadConfig } from '../config/load.ts';
import { createLog } from '../observability/log.ts';
import { createApi } from './compose/api.ts';
import { openMetrics } from './compose/metrics.ts';
import { openConfiguredDatabase } from './database.ts';
import { listen } from './listen.ts';
import { runUntilSignal } from './shutdown.ts';

await runUntilSignal(async () => {
  const config = loadConfig(process.env);
  assertProductionReady(config);
  const log = createLog(config.LOG_LEVEL, { role: 'api' });
  const database = await openConfiguredDatabase(config, { applicationName: 'canonry-api' });
  const metrics = await openMetrics(config, database, log, false);
  const api = await createApi(config, database, log, metrics.metrics);
  const server = await listen(api.app, config.HOST, config.PORT);
  console.log(`canonry api ready at ${server.url}`);
  return {
    log,
    async close() {
      await server.close();
      await api.close();
      await metrics.close();
      await database.close();
    },
  };
});
