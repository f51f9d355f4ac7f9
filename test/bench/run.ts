/**
 * `npm run bench -- <name> [--json] [options]`: measures one thing on this machine and prints
 * what it found; with `--json` the last line is one object with every figure. Exit code 1 when the
 * work that was measured was not done right, 2 when the bench cannot be run as asked.
 */
import process from 'node:process';
import { printFields, runScenario, type Fields, type Scenario } from './kernel/run.ts';
import { readOrder, Refusal, type BenchName, type Order } from './options.ts';
import { machine, printTable, type Bench } from './report.ts';
import { faultsOf } from './verdict.ts';

/** The finalization kernel: workers, a chain and a Postgres of their own. */
const scenarios: Record<Exclude<BenchName, 'miden' | 'edge'>, () => Promise<Scenario>> = {
  many: async () => (await import('./scenarios/many.ts')).many,
  wide: async () => (await import('./scenarios/wide.ts')).wide,
  hot: async () => (await import('./scenarios/hot.ts')).hotAccount,
  latency: async () => (await import('./scenarios/latency.ts')).latency,
  ingest: async () => (await import('./scenarios/ingest.ts')).ingest,
  recovery: async () => (await import('./scenarios/recovery.ts')).recovery,
  stop: async () => (await import('./scenarios/stop.ts')).stop,
  idle: async () => (await import('./scenarios/idle.ts')).idle,
  peers: async () => (await import('./scenarios/peers.ts')).peers,
};

// leaves through the exit handlers, which end the cluster
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const order = readArguments();
// computations in one process
if (order.name === 'miden') await measure((await import('./miden.ts')).bench);
// the API in front of a database that is near or far
else if (order.name === 'edge')
  show(await (await import('./edge/run.ts')).measureEdge(console.error));
else {
  const scenario = await scenarios[order.name]();
  show(await runScenario(order.name, scenario, { ...order, say: console.error }));
}
process.exit();

function readArguments(): Order {
  try {
    return readOrder(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

async function measure(bench: Bench): Promise<void> {
  const started = performance.now();
  const { notes, figures } = await bench(console.error);
  const seconds = Number(((performance.now() - started) / 1_000).toFixed(1));
  const result = { bench: order.name, seconds, machine, notes, figures };
  if (order.json) console.log(JSON.stringify(result));
  else printTable(order.name, notes, figures);
}

function show(fields: Fields): void {
  const faults = faultsOf(fields);
  if (faults.length > 0) {
    console.error(`${order.name} was not done right: ${faults.join(', ')}`);
    process.exitCode = 1;
  }
  printFields(fields);
  if (order.json) console.log(JSON.stringify(fields));
}
