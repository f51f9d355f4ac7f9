/** A worker process of the benchmarks: the project's own worker on the bench domain's tasks. */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../src/database/connect.ts';
import { HeldLines } from '../../src/kernel/held-lines.ts';
import { createLiveness } from '../../src/kernel/liveness.ts';
import { startWorker, workerPreset } from '../../src/kernel/worker.ts';
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
const liveness = createLiveness(database.sql, log, held);
const preset = workerPreset({
  concurrency,
  liveness,
  log,
  taskDirectory: fileURLToPath(new URL('./tasks', import.meta.url)),
});
Object.assign(preset.worker ?? {}, order.engine);
process.on('message', (message) => {
  if (message === 'go') void go();
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function go(): Promise<void> {
  const worker = await startWorker(preset, database, liveness, log);
  process.once('SIGTERM', () => {
    void worker
      .stop()
      .then(() => database.close())
      .then(() => process.exit(0));
  });
  process.send?.('started');
  await worker.ended;
}
