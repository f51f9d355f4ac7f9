/** The part of docs/performance.md about other job engines. */
import { markdownTable as table } from '../table.ts';
import type { Runs } from './document.ts';

const engines = [
  ['canonry', 'Canonry'],
  ['graphile_worker', 'graphile-worker'],
  ['pg_boss', 'pg-boss'],
] as const;

const peerLoads = [
  ['1000', '1 000 accounts × 10'],
  ['10000', '10 000 accounts × 1'],
  ['100000', '100 000 accounts × 1'],
  ['hot', '1 account × 5 000'],
] as const;

export function peerTable(runs: Runs): string {
  const peers = runs['peers'];
  if (!peers) return '';
  const faults = ['order_violations', 'lost', 'duplicates', 'unfinished'];
  return [
    '### Beside other job engines',
    '`npm run bench -- peers --json`: the same payments, one look-up each, every account in order, in one run. graphile-worker: one job a payment, a named queue an account, default settings but the concurrency. pg-boss 12: policy `key_strict_fifo`, one job a payment, the fastest polling it offers. An engine that was not done after 20 s is judged by what it had done: its latencies are those of the payments it finalized, the others are unfinished. "Twice": finalized once more; the write of the others lets it have no second effect. "-": recorded before a run said so. On one account Canonry asks about 20 candidates in one call and writes them in one transaction (recorded runs before this: in 20 calls).',
    'Finalizations a second:',
    table(
      ['work', ...engines.map(([, name]) => name)],
      peerLoads.map(([load, what]) => [
        what,
        ...engines.map(([key]) => peers[`${key}_${load}_per_s`]),
      ]),
    ),
    'Each engine and load:',
    table(
      [
        'engine',
        'work',
        'p50 ms',
        'p99 ms',
        'max ms',
        'out of order',
        'lost',
        'twice',
        'unfinished',
      ],
      peerLoads.flatMap(([load, what]) =>
        engines.map(([key, name]) => [
          name,
          what,
          ...['p50_ms', 'p99_ms', 'max_ms', ...faults].map(
            (field) => peers[`${key}_${load}_${field}`] ?? '-',
          ),
        ]),
      ),
    ),
    `Load before: ${peers['load_before']}. Commit: ${peers['commit'] ?? '-'}.`,
  ].join('\n\n');
}
