/**
 * `npm run bench -- <name> [--json] [options]`: measures one thing on this machine and prints
 * what it found; with `--json` the last line is one object with every figure.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { printFields, runScenario, type Fields, type Scenario } from './kernel/run.ts';
import { machine, printTable, type Bench } from './report.ts';

/** Computations in one process. */
const benches: Record<string, () => Promise<Bench>> = {
  miden: async () => (await import('./miden.ts')).bench,
};

/** The finalization kernel: workers, a chain and a Postgres of their own. */
const scenarios: Record<string, () => Promise<Scenario>> = {
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

/** The API in front of a database that is near or far. */
const edges: Record<string, () => Promise<(say: (line: string) => void) => Promise<Fields>>> = {
  edge: async () => (await import('./edge/run.ts')).measureEdge,
};

/** Those whose number of accounts can be chosen. */
const sized = ['many', 'wide', 'idle', 'peers'];

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    workers: { type: 'string', default: '1' },
    accounts: { type: 'string' },
    /** Wake-ups with a queue name for each account, or with none. */
    queue: { type: 'string', default: 'account' },
    /** Decisions without a look-up, up to 20 in a transaction. */
    batch: { type: 'boolean', default: false },
    /** Of one answer of the chain, milliseconds. */
    latency: { type: 'string', default: '0' },
    /** Lines that one worker works on at the same time. */
    concurrency: { type: 'string', default: '20' },
    /** Candidates of a line looked up at once and written in one transaction: 1, hot 20. */
    ahead: { type: 'string' },
    /** Connections of one worker for the domain's statements. */
    connections: { type: 'string' },
    /** Settings of graphile-worker to try instead of the preset's, a JSON object. */
    engine: { type: 'string', default: '{}' },
    /** Another folder of migrations, to compare variants of the functions. */
    migrations: { type: 'string' },
  },
  allowPositionals: true,
});
const [name = ''] = positionals;

// leaves through the exit handlers, which end the cluster
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (Object.hasOwn(benches, name)) await measure(await benches[name]!());
else if (Object.hasOwn(scenarios, name)) await play(await scenarios[name]!());
else if (Object.hasOwn(edges, name)) show(await (await edges[name]!())(console.error));
else {
  const names = [benches, scenarios, edges].flatMap((kind) => Object.keys(kind)).join(', ');
  console.error(`There is no bench "${name}". There are: ${names}.`);
  process.exit(2);
}
process.exit(0);

async function measure(bench: Bench): Promise<void> {
  const started = performance.now();
  const { notes, figures } = await bench(console.error);
  const seconds = Number(((performance.now() - started) / 1_000).toFixed(1));
  if (values.json) console.log(JSON.stringify({ bench: name, seconds, machine, notes, figures }));
  else printTable(name, notes, figures);
}

async function play(scenario: Scenario): Promise<void> {
  if (values.queue !== 'account' && values.queue !== 'none') {
    throw new Error('--queue is account or none');
  }
  if (values.accounts !== undefined && !sized.includes(name)) {
    throw new Error(
      `${name} has a number of accounts of its own; --accounts is for ${sized.join(', ')}`,
    );
  }
  const fields = await runScenario(name, scenario, {
    workers: Number(values.workers),
    accounts: values.accounts === undefined ? undefined : Number(values.accounts),
    queue: values.queue,
    batch: values.batch,
    latencyMs: Number(values.latency),
    concurrency: Number(values.concurrency),
    ahead: values.ahead === undefined ? undefined : Number(values.ahead),
    connections: values.connections === undefined ? undefined : Number(values.connections),
    engine: JSON.parse(values.engine) as Record<string, unknown>,
    migrations: values.migrations,
    say: console.error,
  });
  show(fields);
}

function show(fields: Fields): void {
  printFields(fields);
  if (values.json) console.log(JSON.stringify(fields));
}
