/**
 * What `npm test` runs: types, lint, format, the generated documents, the Deno entry, then every
 * test. Arguments are passed to vitest as file filters. The last line is
 * `N passed, N failed[, N skipped]`, where each check counts as one; the exit code is 1 when
 * anything failed.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { startVitest, type Reporter, type TestModule } from 'vitest/node';

interface Check {
  name: string;
  command: [string, ...string[]];
  /** Left out, and said so, while this file does not exist. */
  needs?: string;
}

const project = fileURLToPath(new URL('../', import.meta.url));
const denoEntry = 'src/entry/api.deno.ts';
const docsGenerator = 'scripts/generate-docs.ts';

const checks: Check[] = [
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'format', command: ['prettier', '--check', '--log-level=warn', '.'] },
  { name: 'types on Deno', command: ['deno', 'check', denoEntry], needs: denoEntry },
  {
    name: 'generated documents',
    command: ['node', docsGenerator, '--check'],
    needs: docsGenerator,
  },
];

const count = { passed: 0, failed: 0, skipped: 0 };

function runCheck({ name, command: [program, ...args], needs }: Check): void {
  if (needs !== undefined && !fs.existsSync(new URL(`../${needs}`, import.meta.url))) {
    count.skipped += 1;
    console.log(`- ${name}: skipped, there is no ${needs}`);
    return;
  }
  const { status, error } = spawnSync(program, args, { cwd: project, stdio: 'inherit' });
  const passed = status === 0;
  count[passed ? 'passed' : 'failed'] += 1;
  console.log(`${passed ? '✓' : '✗'} ${name}${error ? `: ${error.message}` : ''}`);
}

/** Counts what vitest's own summary counts, and the errors that belong to no test. */
const counting: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    count.failed += unhandledErrors.length;
    for (const module of modules) countModule(module);
  },
};

function countModule(module: TestModule): void {
  const suites = [module, ...module.children.allSuites()];
  count.failed += suites.filter((suite) => suite.errors().length > 0).length;
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state !== 'skipped') {
      count[result.state === 'passed' ? 'passed' : 'failed'] += 1;
      continue;
    }
    count.skipped += 1;
    const reason = result.note ?? (test.options.mode === 'run' ? 'its setup failed' : undefined);
    const note = reason === undefined ? '' : ` (${reason})`; // else the name says why
    console.log(`- skipped: ${module.relativeModuleId} > ${test.fullName}${note}`);
  }
}

for (const check of checks) runCheck(check);
try {
  const vitest = await startVitest('test', process.argv.slice(2), {
    root: project,
    watch: false,
    reporters: ['default', counting],
  });
  await vitest.close();
} catch (error) {
  count.failed += 1;
  console.error(error);
}
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`, () =>
  process.exit(count.failed > 0 ? 1 : 0),
);
