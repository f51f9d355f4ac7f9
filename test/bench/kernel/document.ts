/** The kernel's part of docs/performance.md, out of the results of the runs. */
import { markdownTable as table } from '../table.ts';
import type { Fields } from './scenario.ts';

/** The last result of each command. */
export type Runs = Record<string, Fields>;

interface Target {
  command: string;
  field: string;
  what: string;
  atLeast?: number;
  atMost?: number;
}

const targets: Target[] = [
  { command: 'many', field: 'finalizations_per_s', what: 'a second', atLeast: 3_000 },
  { command: 'many', field: 'of_plainly', what: 'of the same SQL plainly', atLeast: 0.5 },
  { command: 'many --batch', field: 'finalizations_per_s', what: 'a second', atLeast: 8_000 },
  ...[1, 3, 6].map((workers) => ({
    command: workers === 1 ? 'many' : `many --workers ${workers}`,
    field: 'chain_calls_per_finalization',
    what: 'calls of the chain a finalization',
    atMost: 1.05,
  })),
  {
    command: 'wide --accounts 100000 --queue none',
    field: 'of_1000_accounts',
    what: 'of the rate with 1 000 accounts',
    atLeast: 0.8,
  },
  {
    command: 'wide --accounts 100000 --queue account',
    field: 'finalizations_per_s',
    what: 'a second',
    atLeast: 1_500,
  },
  { command: 'idle', field: 'with_of_without', what: 'of the rate without', atLeast: 0.95 },
  {
    command: 'idle',
    field: 'cpu_without_of_with',
    what: 'of the processor time with them is needed without',
    atLeast: 0.95,
  },
  {
    command: 'hot',
    field: 'finalizations_per_s',
    what: 'a second, 20 looked up ahead and written together',
    atLeast: 2_000,
  },
  { command: 'hot', field: 'neighbours_ratio', what: "of the neighbours' p99 alone", atMost: 2 },
  { command: 'latency', field: 'p50_ms', what: 'ms, p50', atMost: 10 },
  { command: 'latency', field: 'p99_ms', what: 'ms, p99', atMost: 50 },
  { command: 'recovery', field: 'p50_ms', what: 'ms, p50', atMost: 3_000 },
  { command: 'recovery', field: 'p99_ms', what: 'ms, p99', atMost: 5_000 },
  { command: 'recovery', field: 'max_ms', what: 'ms, longest', atMost: 10_000 },
];

const columns: [field: string, title: string][] = [
  ['finalizations_per_s', 'a second'],
  ['p50_ms', 'p50 ms'],
  ['p99_ms', 'p99 ms'],
  ['max_ms', 'max ms'],
  ['order_violations', 'out of order'],
  ['lost', 'lost'],
  ['duplicates', 'twice'],
  ['chain_calls_per_finalization', 'chain calls'],
  ['cpu_ms_per_finalization_postgres', 'CPU ms Postgres'],
  ['cpu_ms_per_finalization_workers', 'CPU ms workers'],
  ['load_before', 'load before'],
];

export function kernelSection(runs: Runs): string {
  const [any] = Object.values(runs);
  return [
    '## The finalization kernel',
    `Written from [performance-runs.json](performance-runs.json) by \`node test/bench/document.ts\`. ${any?.['cpu'] ?? ''}, ${any?.['cores'] ?? ''} cores, Node ${any?.['node'] ?? ''}; Postgres 18, all processes and the chain on the same cores. "Load before" is the machine's load average when a run began: above 1 the run shared its cores, and figures by the clock are lower than the machine's.`,
    `Durable settings: \`${any?.['postgres'] ?? ''}\`.`,
    targetTable(runs),
    '### Every run',
    '`npm run bench -- <command> --json`. Rates count from the first effect to the last; the latency of a run that begins with a backlog counts from its beginning.',
    table(
      ['command', ...columns.map(([, title]) => title)],
      Object.entries(runs)
        .filter(([command]) => command !== 'peers')
        .map(([command, fields]) => [`\`${command}\``, ...columns.map(([field]) => fields[field])]),
    ),
    acceptTable(runs),
    crossing(runs),
    peerTable(runs),
  ]
    .filter(Boolean)
    .join('\n\n');
}

function targetTable(runs: Runs): string {
  const rows = targets.map(({ command, field, what, atLeast, atMost }) => {
    const value = runs[command]?.[field];
    const aim = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
    const met = Number(value) >= (atLeast ?? -Infinity) && Number(value) <= (atMost ?? Infinity);
    const verdict = value === undefined ? 'not measured' : met ? 'met' : '**missed**';
    return [`\`${command}\``, `${value ?? ''} ${what}`, aim, verdict];
  });
  return table(['command', 'measured', 'aim', ''], rows);
}

/** Submissions: as an API process commits them, each by itself, and beside plain inserts. */
function acceptTable(runs: Runs): string {
  const commands = ['ingest', 'ingest --queue none'].filter((command) => runs[command]);
  const [first] = commands;
  if (!first) return '';
  const rows = commands.map((command) => {
    const run = runs[command]!;
    return [
      `\`${command}\``,
      run['commits_per_s'],
      run['of_plain'],
      run['alone_commits_per_s'],
      run['plain_commits_per_s'],
      `${run['p50_ms']} / ${run['p99_ms']}`,
      `${run['far_p50_ms']} / ${run['far_alone_p50_ms']}`,
    ];
  });
  const { clients, far_ms } = runs[first]!;
  return [
    '### Accepting submissions',
    `Commits a second of ${clients} requests at a time, each a candidate with its wake-up: together, as an API process commits them, and each in a transaction of its own; beside plain inserts of the same rows in the same run. Far is ${far_ms} ms away from the database.`,
    table(
      ['command', 'together', 'of plain', 'alone', 'plain', 'p50 / p99 ms', 'far p50 ms, alone'],
      rows,
    ),
  ].join('\n\n');
}

/** Rate by the number of accounts with work, with and without a queue name for each. */
function crossing(runs: Runs): string {
  const sizes = [1_000, 10_000, 20_000, 50_000, 100_000];
  const rate = (accounts: number, queue: string) =>
    runs[`wide --accounts ${accounts} --queue ${queue}`]?.['finalizations_per_s'];
  const rows = sizes.map((size) => [size, rate(size, 'account'), rate(size, 'none')]);
  const behind = rows.find((_row, n) =>
    rows.slice(n).every(([, named, none]) => Number(named) < 0.9 * Number(none)),
  );
  return [
    '### When to switch to `WAKE_QUEUE=none`',
    'One candidate an account, all due at once; finalizations a second.',
    table(['accounts with work', 'account', 'none'], rows),
    behind
      ? `From ${behind[0]} accounts with work at the same time, queue names cost more than a tenth of the rate.`
      : 'Up to the largest number measured, queue names cost less than a tenth of the rate.',
  ].join('\n\n');
}

function peerTable(runs: Runs): string {
  const peers = runs['peers'];
  if (!peers) return '';
  const loads = [
    ['1000', '1 000 accounts × 10'],
    ['10000', '10 000 accounts × 1'],
    ['100000', '100 000 accounts × 1'],
    ['hot', '1 account × 5 000'],
  ];
  return [
    '### Beside other job engines',
    '`npm run bench -- peers --json`: the same payments, one look-up each, every account in order; finalizations a second in one run. graphile-worker: one job a payment, a named queue an account, default settings but the concurrency. pg-boss 12: policy `key_strict_fifo`, one job a payment, the fastest polling it offers. An engine that was not done after 20 s is judged by what it had done. On one account Canonry looks up 20 candidates ahead and writes them in one transaction.',
    table(
      ['work', 'Canonry', 'graphile-worker', 'pg-boss'],
      loads.map(([key, what]) => [
        what,
        ...['canonry', 'graphile_worker', 'pg_boss'].map((name) => peers[`${name}_${key}_per_s`]),
      ]),
    ),
    `Out of order: Canonry ${peers['order_violations']}, graphile-worker ${sum(peers, 'graphile_worker')}, pg-boss ${sum(peers, 'pg_boss')}. Load before: ${peers['load_before']}.`,
  ].join('\n\n');
}

function sum(fields: Fields, peer: string): number {
  return Object.entries(fields)
    .filter(([name]) => name.startsWith(peer) && name.endsWith('_order_violations'))
    .reduce((total, [, value]) => total + Number(value), 0);
}
