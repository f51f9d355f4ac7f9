/**
 * Lets the stock graphile-worker CLI run `tasks/` and show the same jobs as our own worker:
 *   npx graphile-worker            runs them
 *   npx graphile-worker --once     runs what is ready and ends
 */
import process from 'node:process';
import { workerPresetFromEnvironment } from './src/entry/compose/worker.ts';

export default await workerPresetFromEnvironment(process.env);
