/** A worker process of the benchmarks: the project's own worker on the bench domain's tasks. */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../src/database/connect.ts';
import { HeldLines } from '../../src/kernel/held-lines.ts';
import { createLiveness } from '../../src/kernel/liveness.ts';
import { startWorker, workerPreset, type Worker } from '../../src/kernel/worker.ts';
import { kernelLimits } from '../../src/limits.ts';
import { createLog } from '../../src/observability/log.ts';
import type { WorkerOrder } from './kernel/processes.ts';
import { openChain } from './kernel/chain-client.ts';
import { settleWrites } from './kernel/settle.ts';
import { provideSettle } from './kernel/task-context.ts';

const order = JSON.parse(process.argv[2] ?? '{}') as WorkerOrder;
const log = createLog(order.logLevel ?? 'error', { role: 'bench-worker' });
const { concurrency } = order;
const database = await openDatabase({
  databaseUrl: order.databaseUrl,
  applicationName: 'bench-worker',
  maxConnections: order.connections ?? kernelLimits.workerConnections,
  maxWorkerConnections: concurrency + 2,
  preparedStatements: true,
});
const chain = order.chainPort ? openChain(order.chainPort, concurrency) : null;
const held = new HeldLines();
const { wakeQueue, ahead } = order;
provideSettle({
  sql: database.sql,
  writes: settleWrites(database.sql),
  chain,
  wakeQueue,
  ahead,
  held,
  log,
});
let worker: Worker | undefined;
process.on('message', (message) => {
  if (message === 'go') void go();
  if (message === 'pause') void pause();
});
process.on('disconnect', () => process.exit(0));
process.once('SIGTERM', () => {
  void pause()
    .then(() => database.close())
    .then(() => process.exit(0));
});
process.send?.('ready');

async function go(): Promise<void> {
  const liveness = createLiveness(database.sql, log, held);
  const preset = workerPreset({
    concurrency,
    liveness,
    log,
    taskDirectory: fileURLToPath(new URL('./tasks', import.meta.url)),
  });
  Object.assign(preset.worker ?? {}, order.engine);
  worker = await startWorker(preset, database, liveness, log);
  process.send?.('started');
  await worker.ended;
}

async function pause(): Promise<void> {
  await worker?.stop();
  worker = undefined;
  process.send?.('paused');
}
