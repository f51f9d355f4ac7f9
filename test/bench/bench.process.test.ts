import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const project = fileURLToPath(new URL('../../', import.meta.url));

async function bench(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['test/bench/run.ts', ...args, '--json'],
    { cwd: project },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

test.each([
  { name: 'one look-up and one write each', args: [], answers: 1 },
  {
    name: 'looked up ahead, without queue names',
    args: ['--ahead', '5', '--queue', 'none'],
    answers: 1,
  },
  { name: 'batches without a look-up', args: ['--batch'], answers: 0 },
])('a benchmark judges what its workers did: $name', async ({ args, answers }) => {
  const result = await bench('many', '--accounts', '10', '--workers', '2', ...args);
  expect(result).toMatchObject({
    scenario: 'many',
    accounts: 10,
    candidates: 200,
    finalized: 200,
    workers: 2,
    order_violations: 0,
    lost: 0,
    duplicates: 0,
    without_answer: 0,
    chain_calls_per_finalization: answers,
  });
  expect(result).toMatchObject({
    finalizations_per_s: expect.any(Number),
    plainly_per_s: expect.any(Number),
    p50_ms: expect.any(Number),
    p99_ms: expect.any(Number),
    max_ms: expect.any(Number),
  });
});
