import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

import { type DevChain, type DevChainOptions, startDevChain } from '../../src/dev-chain/start.ts';
import { MidenNode } from '../../src/guardian/networks/miden/rpc/node.ts';

const ACCOUNT = '0x25ae6647d3c87001607b46e56f1260';
const OTHER = '0x25ae6647d3c87001607b46e56f1261';
const FIRST = `0x${'01'.repeat(32)}`;
const SECOND = `0x${'00'.repeat(8)}${'02'.repeat(24)}`;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(options: Partial<DevChainOptions> = {}): Promise<DevChain> {
  const chain = await startDevChain({ port: 0, host: '127.0.0.1', ...options });
  closers.push(() => chain.close());
  return chain;
}

function node(chain: DevChain): MidenNode {
  return new MidenNode({ endpoint: chain.url, timeoutMs: 2_000, maxAttempts: 1 });
}

async function put(chain: DevChain, path: string, body: string): Promise<number> {
  const response = await fetch(chain.url + path, { method: 'PUT', body });
  await response.text();
  return response.status;
}

async function temporaryFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'dev-chain-'));
  closers.push(() => rm(directory, { recursive: true }));
  return join(directory, 'chain.json');
}

test('an account is absent until its commitment lands, then follows it', async () => {
  const chain = await start();
  expect(await node(chain).accountCommitment(ACCOUNT)).toBeNull();
  expect(await put(chain, `/accounts/${ACCOUNT}`, JSON.stringify({ commitment: FIRST }))).toBe(200);
  expect(await node(chain).accountCommitment(ACCOUNT)).toBe(FIRST);
  await chain.land(ACCOUNT, SECOND);
  expect(await node(chain).accountCommitment(ACCOUNT)).toBe(SECOND);
  expect(await node(chain).accountCommitment(OTHER)).toBeNull();
});

test('an account can be looked at as JSON, and the root names a development chain', async () => {
  const chain = await start();
  await chain.land(ACCOUNT, FIRST);
  const shown = await fetch(`${chain.url}/accounts/${ACCOUNT.toUpperCase().replace('X', 'x')}`);
  expect(await shown.json()).toEqual({ account_id: ACCOUNT, commitment: FIRST });
  const absent = await fetch(`${chain.url}/accounts/${OTHER}`);
  expect(await absent.json()).toEqual({ account_id: OTHER, commitment: null });
  expect(await (await fetch(chain.url)).text()).toMatch(/development chain.*NOT a Miden node/);
});

test.each([
  ['/accounts/0x25', JSON.stringify({ commitment: FIRST })],
  [`/accounts/${ACCOUNT}`, 'not json'],
  [`/accounts/${ACCOUNT}`, '{}'],
  [`/accounts/${ACCOUNT}`, JSON.stringify({ commitment: FIRST.slice(0, -1) })],
  [`/accounts/${ACCOUNT}`, JSON.stringify({ commitment: `0x${'ff'.repeat(32)}` })],
  [`/accounts/${ACCOUNT}`, JSON.stringify({ commitment: `0x${'00'.repeat(32)}` })],
])('refuses %s %s and stays as it was', async (path, body) => {
  const chain = await start();
  expect(await put(chain, path, body)).toBe(400);
  expect(await node(chain).accountCommitment(ACCOUNT)).toBeNull();
});

test('refuses a body beyond the limit', async () => {
  const chain = await start();
  expect(await put(chain, `/accounts/${ACCOUNT}`, ' '.repeat(5_000))).toBe(413);
});

test('answers a call it cannot read with a gRPC status', async () => {
  const chain = await start();
  const response = await fetch(`${chain.url}/rpc.Api/GetAccount`, { method: 'POST', body: 'junk' });
  expect(await response.text()).toContain('grpc-status:3');
});

test('what a PUT was answered for is there after a restart', async () => {
  const file = await temporaryFile();
  const before = await start({ file });
  const accounts = Array.from({ length: 20 }, (_, i) => `0x${String(i).padStart(30, '0')}`);
  const answers = accounts.map((id) =>
    put(before, `/accounts/${id}`, JSON.stringify({ commitment: FIRST })),
  );
  expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
  await before.land(accounts[0]!, SECOND);
  // No close: a killed process does not get to do anything either.
  const after = await start({ file });
  expect(await node(after).accountCommitment(accounts[0]!)).toBe(SECOND);
  for (const id of accounts.slice(1)) expect(await node(after).accountCommitment(id)).toBe(FIRST);
});

test('a landing that cannot be stored is not shown', async () => {
  const file = await temporaryFile();
  const chain = await start({ file });
  await rm(join(file, '..'), { recursive: true });
  await expect(chain.land(ACCOUNT, FIRST)).rejects.toThrow('ENOENT');
  expect(await node(chain).accountCommitment(ACCOUNT)).toBeNull();
  closers.splice(0, 1);
});

test('a state file of something else is refused, not overwritten', async () => {
  const file = await temporaryFile();
  await writeFile(file, '{"accounts":{"0x1":"0x2"}}');
  await expect(start({ file })).rejects.toThrow('is not the state of a development chain');
  expect(await readFile(file, 'utf8')).toBe('{"accounts":{"0x1":"0x2"}}');
});

test('latency delays the RPC call', async () => {
  const chain = await start({ latencyMs: 60 });
  const started = performance.now();
  await node(chain).accountCommitment(ACCOUNT);
  expect(performance.now() - started).toBeGreaterThan(55);
});
