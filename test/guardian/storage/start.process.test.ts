/** An API that does not fit its store does not start, and a worker needs no key. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDevChain, type DevChain } from '../../../src/dev-chain/start.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { systemEnvironment } from '../../support/environment.ts';
import { runNode, startDeno, type RunningProcess } from '../../support/process.ts';
import { openWallet } from '../../support/wallet.ts';

const key = Buffer.alloc(32, 11).toString('base64');
let folder: string;
let chain: DevChain;
let database: TestDatabase;
let env: Record<string, string>;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-storage-'));
  chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  database = await createDatabase();
  env = { ...systemEnvironment(folder, chain), DATABASE_URL: database.url };
});
afterAll(async () => {
  await chain.close();
  await database.drop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const withKey = () => ({ ...env, GUARDIAN_STORAGE_ENCRYPTION_KEY: key });

async function stop(running: RunningProcess): Promise<void> {
  running.child.kill('SIGTERM');
  expect(await running.exit).toBe(0);
}

it('makes a delta canonical with a worker that has no key', async () => {
  const api = runNode('src/entry/api.ts', { env: withKey() });
  const worker = runNode('src/entry/worker.ts', { env });
  const [, url = ''] = await api.says(/ready at (http:\/\/[^\s]+)/);
  await worker.says(/worker ready/);
  const wallet = await openWallet(url, 'ecdsa');
  await wallet.configure();
  const { newCommitment } = await wallet.push(1);
  await chain.land(wallet.accountId, newCommitment ?? '');
  expect(await wallet.settled(1)).toBe('canonical');
  await wallet.refresh();
  expect(wallet.commitment).toBe(newCommitment);
  await stop(worker);
  await stop(api);
  expect(api.output() + worker.output()).not.toContain(key.slice(0, 20));
});

it.each<[string, Record<string, string>, RegExp]>([
  ['without a key', {}, /is encrypted: set GUARDIAN_STORAGE_ENCRYPTION_KEY\.$/m],
  [
    'with another key',
    { GUARDIAN_STORAGE_ENCRYPTION_KEY: Buffer.alloc(32, 12).toString('base64') },
    /The key k1 is not the one/,
  ],
  [
    'with a key that is none',
    { GUARDIAN_STORAGE_ENCRYPTION_KEY: key.slice(4) },
    /GUARDIAN_STORAGE_ENCRYPTION_KEY: must be 32 bytes in base64$/m,
  ],
])('refuses to start %s, on Node and Deno', async (_, change, message) => {
  const changed = { env: { ...env, ...change } };
  for (const start of [
    runNode('src/entry/api.ts', changed),
    startDeno('src/entry/api.deno.ts', changed),
  ]) {
    expect(await start.exit).toBe(1);
    expect(start.output()).toMatch(message);
    expect(start.output()).not.toContain(key.slice(8, 28));
  }
});
