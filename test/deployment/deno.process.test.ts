import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, it, onTestFinished } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { startDeno } from '../support/process.ts';
import { project } from '../tidy/modules.ts';

it('serves the API under Deno with the permissions of `deno task api`, and stops on SIGTERM', async () => {
  const { tasks } = JSON.parse(fs.readFileSync(path.join(project, 'deno.json'), 'utf8')) as {
    tasks: { api: { command: string } };
  };
  const words = tasks.api.command.split(' ');
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const api = startDeno(words.at(-1) ?? '', {
    permissions: words.filter((word) => word.startsWith('--allow-')),
    env: {
      DATABASE_URL: database.url,
      GUARDIAN_NETWORK_TYPE: 'local',
      GUARDIAN_EVM_RPC_URLS: '1=http://127.0.0.1:9',
      PORT: '0',
    },
  });
  onTestFinished(() => void api.child.kill('SIGKILL'));
  const [, url] = await api.says(/ready at (http:\S+)/);
  const answer = await fetch(`${url}/readyz`);
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'ready' }]);
  // the optional part, loaded only when it is configured
  const wallet = `0x${'5b'.repeat(20)}`;
  expect((await fetch(`${url}/evm/auth/challenge?address=${wallet}`)).status).toBe(200);
  api.child.kill('SIGTERM');
  expect(await api.exit, api.output()).toBe(0);
});

it('`npx deno task api` starts the API, which names the setting that is wrong', () => {
  const deno = path.join(project, 'node_modules/.bin/deno');
  const { status, stderr } = spawnSync(deno, ['task', 'api'], {
    cwd: project,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: 'hello' },
  });
  expect(stderr).toMatch(/PORT/);
  expect(status).toBe(1);
});
