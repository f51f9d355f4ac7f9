/** What the kernel is meant to reach, and whether the recorded runs do. */
import { markdownTable as table } from '../table.ts';
import type { Runs } from './document.ts';

interface Target {
  command: string;
  field: string;
  what: string;
  atLeast?: number;
  atMost?: number;
}

/**
 * No stall: no line waits for a worker that is gone. What it would wait for comes after 250 ms (a
 * poll), 2 s (its silence is noticed) or 5 s (a sweep); a process that ends on processors that all
 * share holds others up for a few tens of milliseconds.
 */
export const noStallMs = 100;

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
    what: 'a second, 25 looked up in one call and written together',
    atLeast: 2_000,
  },
  { command: 'hot', field: 'neighbours_ratio', what: "of the neighbours' p99 alone", atMost: 2 },
  { command: 'latency', field: 'p50_ms', what: 'ms, p50', atMost: 10 },
  { command: 'latency', field: 'p99_ms', what: 'ms, p99', atMost: 50 },
  { command: 'recovery', field: 'p50_ms', what: 'ms, p50', atMost: 3_000 },
  { command: 'recovery', field: 'p99_ms', what: 'ms, p99', atMost: 5_000 },
  { command: 'recovery', field: 'max_ms', what: 'ms, longest', atMost: 10_000 },
  {
    command: 'stop',
    field: 'after_a_stop_max_ms',
    what: 'ms, longest around a stop',
    atMost: noStallMs,
  },
];

export function targetTable(runs: Runs): string {
  const rows = targets.map(({ command, field, what, atLeast, atMost }) => {
    const value = runs[command]?.[field];
    const aim = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
    const met = Number(value) >= (atLeast ?? -Infinity) && Number(value) <= (atMost ?? Infinity);
    const verdict = value === undefined ? 'not measured' : met ? 'met' : '**missed**';
    const commit = runs[command]?.['commit'] ?? '-';
    return [`\`${command}\``, `${value ?? ''} ${what}`, aim, verdict, commit];
  });
  return table(['command', 'measured', 'aim', '', 'commit'], rows);
}
