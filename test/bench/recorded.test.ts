/** The recorded runs that docs/performance.md is written from say all that a run has to say. */
import fs from 'node:fs';
import { expect, it } from 'vitest';
import type { Runs } from './kernel/document.ts';

const file = new URL('../../docs/performance-runs.json', import.meta.url);
const runs = JSON.parse(fs.readFileSync(file, 'utf8')) as Runs;
const kernel = Object.entries(runs).filter(([command]) => command !== 'edge');

it.each(kernel)('%s', (command, fields) => {
  expect(fields['scenario']).toBe(command.split(' ')[0]);
  for (const name of [
    'accounts',
    'candidates',
    'workers',
    'finalizations_per_s',
    'p50_ms',
    'p99_ms',
    'max_ms',
    'chain_calls_per_finalization',
  ]) {
    expect(fields[name], name).toEqual(expect.any(Number));
  }
  expect(fields).toMatchObject({ order_violations: 0, lost: 0, duplicates: 0 });
});
