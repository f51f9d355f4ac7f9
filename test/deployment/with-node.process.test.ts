import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { project } from '../tidy/modules.ts';

/** Runs a command through scripts/with-node.mjs, without a terminal. */
function withNode(...command: string[]) {
  const child = spawn(process.execPath, [path.join(project, 'scripts/with-node.mjs'), ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (bytes: Uint8Array) => (output += new TextDecoder().decode(bytes)));
  return { child, output: () => output, exit: once(child, 'close').then(([code]) => code) };
}

describe('scripts/with-node.mjs', () => {
  it('uses a Node that is new enough, with the project’s commands in reach', async () => {
    const run = withNode('sh', '-c', 'node -p process.execPath; command -v vitest');
    expect(await run.exit).toBe(0);
    expect(run.output().trim().split('\n')).toEqual([
      process.execPath,
      path.join(project, 'node_modules/.bin/vitest'),
    ]);
  });

  it.each([
    ['the exit code', 'exit 3', 3],
    ['128 + n after a signal', 'kill -9 $$', 137],
  ])('passes on %s', async (_, script, code) => {
    expect(await withNode('sh', '-c', script).exit).toBe(code);
  });

  it('says so when there is no such command', async () => {
    expect(await withNode('no-such-command-here').exit).toBe(127);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('hands %s on, once', async (signal) => {
    const count = `
      let n = 0;
      process.on('${signal}', () => { n += 1; setTimeout(() => process.exit(40 + n), 100); });
      console.log('ready'); setInterval(() => {}, 1000);`;
    const run = withNode('node', '-e', count);
    await expect.poll(run.output, { timeout: 5_000 }).toContain('ready');
    run.child.kill(signal);
    expect(await run.exit).toBe(41);
  });
});
