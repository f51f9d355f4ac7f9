/** The kernel's part of docs/performance.md, out of the results of the runs. */
import { markdownTable as table } from '../table.ts';
import { peerTable } from './peer-table.ts';
import type { Fields } from './scenario.ts';
import { noStallMs, targetTable } from './targets.ts';

/** The last result of each command. */
export type Runs = Record<string, Fields>;

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
  ['commit', 'commit'],
];

export function kernelSection(runs: Runs): string {
  const [any] = Object.values(runs);
  return [
    '## The finalization kernel',
    `Written from [performance-runs.json](performance-runs.json) by \`node test/bench/document.ts\`. ${any?.['cpu'] ?? ''}, ${any?.['cores'] ?? ''} cores, Node ${any?.['node'] ?? ''}; Postgres 18, all processes and the chain on the same cores. "Load before" is the machine's load average of the minute before a run, the bench before it included. "Commit" is what it ran on, with a + for changes on top; rows of different commits are not to be compared with each other, and "-" is a run from before a run said so.`,
    'What is measured is the kernel: a candidate is a payment of a few bytes, decided by one look-up and one fenced write; the chain answers at once unless a command says `--latency`, and a worker looks up 20 lines at a time (`--concurrency`), so a chain that takes L ms caps it at 20 000 / L a second where each line has one candidate. What a Guardian delta costs on top is `ingest` and [the edge](#the-edge-round-trips-to-the-database).',
    `Durable settings: \`${any?.['postgres'] ?? ''}\`; log files are laid in before a run, as a server that has been up recycles them.`,
    targetTable(runs),
    '### Every run',
    '`npm run bench -- <command> --json`. Rates count from the first effect to the last (`recovery`: with the starts of its processes); the latency of a run that begins with a backlog counts from its beginning, and of a candidate that is submitted meanwhile from the beginning of its transaction, both until the statement that finalizes it. `recovery` is 30 kills with 10 accounts each: its p99 is about the slowest kill.',
    table(
      ['command', ...columns.map(([, title]) => title)],
      Object.entries(runs)
        .filter(([command]) => command !== 'peers')
        .map(([command, fields]) => [
          `\`${command}\``,
          ...columns.map(([field]) =>
            field === 'commit' ? (fields[field] ?? '-') : fields[field],
          ),
        ]),
    ),
    hotTable(runs),
    stopTable(runs),
    acceptTable(runs),
    wideTable(runs),
    peerTable(runs),
  ]
    .filter(Boolean)
    .join('\n\n');
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
      `${run['far_commits_per_s']} / ${run['far_alone_commits_per_s']}`,
      `${run['far_p50_ms']} / ${run['far_alone_p50_ms']}`,
    ];
  });
  const { clients, far_ms } = runs[first]!;
  return [
    '### Accepting submissions',
    `Deltas a second of ${clients} requests at a time, by the function and the grouped writes that \`POST /delta\` ends with (guardian.submit_deltas), after signature and computation: payload and result state as large as the published ones (0.5 KB, 16 KB), replay timestamp, candidate and wake-up. Together, as an API process commits them, and each in a transaction of its own; beside plain inserts of the same rows, without a wake-up, in the same run. Far is ${far_ms} ms away from the database: there going together costs latency and gives little, since what waits is the way.`,
    table(
      [
        'command',
        'together',
        'of plain',
        'alone',
        'plain',
        'p50 / p99 ms',
        'far: together / alone',
        'p50 ms',
      ],
      rows,
    ),
  ].join('\n\n');
}

/** The long line and its neighbours. */
function hotTable(runs: Runs): string {
  const commands = ['hot', 'hot --ahead 1', 'hot --batch'].filter((command) => runs[command]);
  if (commands.length === 0) return '';
  const rows = commands.map((command) => {
    const run = runs[command]!;
    const figures = ['finalizations_per_s', 'neighbours_alone_p99_ms', 'neighbours_beside_p99_ms'];
    return [
      `\`${command}\``,
      ...[...figures, 'neighbours_ratio', 'rounds', 'neighbours_samples', 'commit'].map(
        (field) => run[field] ?? '-',
      ),
    ];
  });
  return [
    '### One account with a long line',
    'A line of 5 000 candidates of one account, laid in before and woken once, beside 200 neighbours who submit 100 candidates a second; what submitting costs is `ingest`. Asking the chain about 25 candidates in one call, as one commitment of an account tells of all that led there, and writing them in one transaction is what the bench\'s domain does with a long line, not the kernel: one candidate after the other, each with its call and its write, is `--ahead 1`; decisions without a look-up are `--batch`. Rounds take turns, the neighbours alone and beside a drain; the rate is that of the middle round, and each p99 is over the neighbours\' candidates of all rounds (the smaller number is shown). "-": recorded before a run said so.',
    table(
      [
        'command',
        'a second',
        'neighbours alone p99 ms',
        'beside p99 ms',
        'ratio',
        'rounds',
        'samples',
        'commit',
      ],
      rows,
    ),
  ].join('\n\n');
}

/** Workers that are stopped and replaced under steady traffic. */
function stopTable(runs: Runs): string {
  const run = runs['stop'];
  if (!run) return '';
  const rows = [
    ['calm', 'calm'],
    ['around a start', 'after_a_start'],
    ['around a stop', 'after_a_stop'],
  ].map(([what, field]) => [what, run[`${field}_p99_ms`], run[`${field}_max_ms`]]);
  return [
    '### Planned stop',
    `100 candidates a second in ${run['accounts']} accounts, while ${run['stops']} times another worker is started and one is stopped. "Around": candidates that came in from a tenth of a second before the moment to half a second after it. The p99 around a stop is ${run['after_a_stop_of_calm']} times the calm one; that includes what a process that ends takes of the processors that all share. The aim is that no line waits for a worker that is gone. What it would wait for comes after 250 ms (a poll), 2 s (a worker's silence) or 5 s (a sweep), so no candidate may take longer than ${noStallMs} ms. The slowest worker took ${run['slowest_stop_ms']} ms to end; rows left locked: ${run['locked_rows_left']}.`,
    table(['candidates', 'p99 ms', 'max ms'], rows),
  ].join('\n\n');
}

const sizes = [1_000, 10_000, 20_000, 50_000, 100_000];

/**
 * The rate with a queue name for each account and with none, by accounts with work, and what the
 * number of names changes: the first as a share of the second, each beside 1 000 accounts.
 */
function wideRates(runs: Runs) {
  const field = (accounts: number, queue: string, name: string) =>
    Number(runs[`wide --accounts ${accounts} --queue ${queue}`]?.[name]);
  return sizes.map((size) => {
    const [named, none] = ['account', 'none'].map((queue) => ({
      rate: field(size, queue, 'finalizations_per_s'),
      // of the same run: a machine that was slow in one of the two runs does not count
      ofFew: field(size, queue, 'of_1000_accounts'),
    }));
    return {
      size,
      named: named!.rate,
      none: none!.rate,
      namedOfNone: Number((named!.ofFew / none!.ofFew).toFixed(2)),
    };
  });
}

/**
 * The smallest measured number of accounts with work from which on, at every larger one as well,
 * the number of queue names costs more than a tenth of the rate; undefined when it does not at the
 * largest.
 */
export function crossingPoint(runs: Runs): number | undefined {
  return wideRates(runs).find((_row, n, rows) =>
    rows.slice(n).every(({ namedOfNone }) => namedOfNone < 0.9),
  )?.size;
}

function wideTable(runs: Runs): string {
  const rows = wideRates(runs);
  if (rows.some(({ namedOfNone }) => Number.isNaN(namedOfNone))) return '';
  const crossing = crossingPoint(runs);
  return [
    '### When to switch to `WAKE_QUEUE=none`',
    'One candidate an account, all due at once; finalizations a second. Queue names cost something with few accounts too (`many` with and without, above). What their number adds is the last column: each run first drains 1 000 accounts many times by the same workers, and the rates are compared beside that one, so that a machine that was slow during one of two runs does not count.',
    table(
      ['accounts with work', 'account', 'none', 'what their number changes'],
      rows.map(({ size, named, none, namedOfNone }) => [size, named, none, namedOfNone]),
    ),
    crossing
      ? `From ${crossing} accounts with work at the same time, the number of queue names costs more than a tenth of the rate.`
      : 'Up to the largest number measured, the number of queue names costs less than a tenth of the rate.',
  ].join('\n\n');
}
