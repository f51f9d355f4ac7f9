import os from 'node:os';
import process from 'node:process';

/** One measured thing; times in milliseconds. */
export interface Figure {
  what: string;
  median_ms?: number;
  p99_ms?: number;
  /** Longest of all. */
  max_ms?: number;
  samples: number;
  /** What the figure named by `aim_of` should stay under. */
  aim_ms?: number;
  aim_of?: 'median_ms' | 'max_ms';
}

export interface Measured {
  /** What was measured on, in words. */
  notes: Record<string, string | number>;
  figures: Record<string, Figure>;
}

/** @param say a line of progress, not part of the result. */
export type Bench = (say: (line: string) => void) => Promise<Measured>;

export const machine = {
  node: process.version,
  cpu: os.cpus()[0]?.model ?? 'unknown',
  cores: os.availableParallelism(),
};

/** Three significant digits are what a run repeats. */
const rounded = (ms: number) => Number(ms.toPrecision(3));

/** @param sorted in ascending order, not empty. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export function summarize(what: string, times: readonly number[]): Figure {
  const sorted = times.toSorted((a, b) => a - b);
  return {
    what,
    median_ms: rounded(quantile(sorted, 0.5)),
    p99_ms: rounded(quantile(sorted, 0.99)),
    max_ms: rounded(sorted.at(-1) ?? Number.NaN),
    samples: sorted.length,
  };
}

/**
 * Times a synchronous function. `prepare` makes its input anew, outside the clock; the first
 * `warmUp` runs let the engine compile and do not count.
 */
export function time<T>(
  what: string,
  samples: number,
  prepare: (run: number) => T,
  work: (input: T) => unknown,
  warmUp = Math.ceil(samples / 4),
): Figure {
  const times: number[] = [];
  for (let run = 0; run < warmUp + samples; run++) {
    const input = prepare(run);
    const started = performance.now();
    work(input);
    const elapsed = performance.now() - started;
    if (run >= warmUp) times.push(elapsed);
  }
  return summarize(what, times);
}

export function printTable(
  name: string,
  notes: Measured['notes'],
  figures: Measured['figures'],
): void {
  console.log(`${name}, on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
  for (const [note, value] of Object.entries(notes)) console.log(`  ${note}: ${value}`);
  const rows = Object.values(figures).map((figure) => [
    figure.what,
    String(figure.median_ms ?? ''),
    String(figure.p99_ms ?? ''),
    String(figure.max_ms ?? ''),
    String(figure.samples),
    verdict(figure),
  ]);
  const table = [['', 'median ms', 'p99 ms', 'max ms', 'samples', 'aim'], ...rows];
  const widths = table[0]!.map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of table) {
    const [first = '', ...rest] = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log([first, ...rest].join('  ').trimEnd());
  }
}

function verdict({ aim_ms: aim, aim_of: of, ...figure }: Figure): string {
  if (aim === undefined || of === undefined) return '';
  const met = (figure[of] ?? Number.NaN) <= aim;
  return `${of.replace('_ms', '')} <= ${aim}: ${met ? 'met' : 'missed'}`;
}
