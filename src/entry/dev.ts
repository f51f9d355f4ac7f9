/** `npm start`: everything in one process, ready for a first delta. */
import process from 'node:process';
import { loadConfig } from '../config/load.ts';
import { createLog } from '../observability/log.ts';
import { runUntilSignal } from './shutdown.ts';
import { startStack } from './stack.ts';

await runUntilSignal(async () => {
  // one line when ready; warnings and errors only after that, unless asked for more
  const config = loadConfig({ LOG_LEVEL: 'warn', ...process.env });
  const log = createLog(config.LOG_LEVEL, { role: 'all-in-one' });
  const stack = await startStack(config, log);
  console.log(
    `Canonry is ready at ${stack.url} (${stack.description}). Next: npm run demo, in another terminal. Ctrl-C stops.`,
  );
  return { log, close: () => stack.close() };
});
