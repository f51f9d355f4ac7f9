/** `npm start`: everything in one process, ready for a first delta. */
import process from 'node:process';
import { loadConfig } from '../config/load.ts';
import { createLog } from '../observability/log.ts';
import { closeOnSignal, exitWithMessage } from './shutdown.ts';
import { startStack } from './stack.ts';

try {
  // one line when ready; warnings and errors only after that, unless asked for more
  const config = loadConfig({ LOG_LEVEL: 'warn', ...process.env });
  const log = createLog(config.LOG_LEVEL, { role: 'all-in-one' });
  const stack = await startStack(config, log);
  console.log(
    `Canonry is ready at ${stack.url} (${stack.description}). Next: npm run demo, in another terminal. Ctrl-C stops.`,
  );
  closeOnSignal(() => stack.close(), log);
} catch (error) {
  exitWithMessage(error);
}
