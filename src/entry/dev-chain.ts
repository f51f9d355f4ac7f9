/** `npm run dev-chain`: the development chain alone, kept in the data folder. */
import path from 'node:path';
import process from 'node:process';
import { loadConfig } from '../config/load.ts';
import { startDevChain } from '../dev-chain/start.ts';
import { createLog } from '../observability/log.ts';
import { assertNotProduction } from './compose/shared.ts';
import { runUntilSignal } from './shutdown.ts';

await runUntilSignal(async () => {
  const config = loadConfig(process.env);
  assertNotProduction(config, 'The development chain');
  const chain = await startDevChain({
    host: config.HOST,
    port: config.CANONRY_DEV_CHAIN_PORT,
    file: path.join(config.CANONRY_DATA_DIR, 'dev-chain.json'),
  });
  console.log(`canonry development chain ready at ${chain.url}`);
  return {
    log: createLog(config.LOG_LEVEL, { role: 'dev-chain' }),
    close: () => chain.close(),
  };
});
