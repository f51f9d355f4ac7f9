import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const project = fileURLToPath(new URL('../../', import.meta.url));

async function bench(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['test/bench/run.ts', ...args, '--json'],
    { cwd: project },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

interface Failed {
  code: number;
  stdout: string;
  stderr: string;
}

test.each([
  { name: 'one look-up and one write each', args: [], answers: 1 },
  {
    name: 'looked up ahead, without queue names',
    args: ['--ahead', '5', '--queue', 'none'],
    answers: 0.2,
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

/** A folder of the migrations in which a line's next candidate is the youngest. */
function withoutOrder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-migrations-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  fs.cpSync(path.join(project, 'migrations'), folder, { recursive: true });
  const file = path.join(folder, 'functions/10_kernel.sql');
  const text = fs.readFileSync(file, 'utf8');
  const mutant = text.replace('order by c.candidate_id\n', 'order by c.candidate_id desc\n');
  expect(mutant).not.toBe(text);
  fs.writeFileSync(file, mutant);
  return folder;
}

test('a kernel that does not keep the order: exit code 1, and every figure', async () => {
  const failed = await bench('many', '--accounts', '2', '--migrations', withoutOrder()).then(
    () => expect.fail('it passed'),
    (error: Failed) => error,
  );
  expect(failed.code).toBe(1);
  const result = JSON.parse(failed.stdout.trim().split('\n').at(-1) ?? '') as { lost: number };
  expect(result).toMatchObject({ order_violations: expect.any(Number), lost: 0 });
  expect(failed.stderr).toMatch(/^many was not done right: order_violations is \d+$/m);
});

test('what cannot be run as asked: one line, exit code 2', async () => {
  await expect(bench('many', '--workers', 'all')).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: '--workers is a whole number of at least 1, not "all".\n',
  });
});
