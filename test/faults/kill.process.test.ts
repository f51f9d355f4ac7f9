/**
 * SIGKILL at any time loses no acknowledged delta: rounds of load, a kill at a random moment,
 * a restart on the same data, and a check of everything that was ever acknowledged.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startDevChain, type DevChain } from '../../src/dev-chain/start.ts';
import { openDatabase } from '../../src/database/connect.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startCluster } from '../support/cluster.ts';
import { startNode, type RunningProcess } from '../support/process.ts';
import { systemEnvironment } from '../support/system.ts';
import { openWallet, type Wallet } from '../support/wallet.ts';

const rounds = 6;
const wallets = 6;

/** Numbers in [0, 1) that a failure can be repeated with. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

interface Account {
  wallet: Wallet;
  /** Nonce and resulting commitment of every acknowledged delta, in order. */
  acknowledged: { nonce: number; commitment: string }[];
}

/** Pushes and lands deltas one after the other until the server is gone. */
async function load(account: Account, chain: DevChain): Promise<void> {
  const { wallet, acknowledged } = account;
  try {
    for (;;) {
      const last = acknowledged.at(-1);
      if (last) {
        await chain.land(wallet.accountId, last.commitment);
        expect(await wallet.settled(last.nonce)).toBe('canonical');
      }
      await wallet.refresh();
      const nonce = (last?.nonce ?? 0) + 1;
      const pushed = await wallet.push(nonce);
      acknowledged.push({ nonce, commitment: pushed.newCommitment ?? '' });
    }
  } catch (error) {
    // connection errors end the round; anything the server said is a failure
    if (!(error instanceof TypeError)) throw error;
  }
}

async function checkAll(accounts: Account[], chain: DevChain): Promise<void> {
  for (const { wallet, acknowledged } of accounts) {
    for (const { nonce, commitment } of acknowledged) {
      const delta = await wallet.client.getDelta(wallet.accountId, nonce);
      expect(delta.newCommitment).toBe(commitment);
      await chain.land(wallet.accountId, acknowledged.at(-1)?.commitment ?? '');
      expect(await wallet.settled(nonce)).toBe('canonical');
    }
    await wallet.refresh();
    const last = acknowledged.at(-1)?.commitment;
    if (last) expect(wallet.commitment).toBe(last);
  }
}

async function killRounds(
  chain: DevChain,
  random: () => number,
  start: () => Promise<{ url: string; processes: RunningProcess[] }>,
  alsoKill: () => Promise<void>,
): Promise<number> {
  const accounts: Account[] = [];
  for (let round = 0; round < rounds; round++) {
    const { url, processes } = await start();
    while (accounts.length < wallets) {
      const wallet = await openWallet(url, 'ecdsa');
      await wallet.configure();
      accounts.push({ wallet, acknowledged: [] });
    }
    for (const account of accounts) account.wallet.retarget(url);
    const loads = Promise.all(accounts.map((account) => load(account, chain)));
    // the moment of the kill: some acknowledgements into the round, and anywhere between two
    const wanted = count(accounts) + 3 + Math.floor(random() * 12);
    while (count(accounts) < wanted) await sleep(5);
    await sleep(random() * 100);
    for (const { child } of processes) child.kill('SIGKILL');
    await alsoKill();
    await Promise.all([loads, ...processes.map(({ exit }) => exit)]);
  }
  const { url, processes } = await start();
  for (const account of accounts) account.wallet.retarget(url);
  await checkAll(accounts, chain);
  for (const { child } of processes) child.kill('SIGTERM');
  await Promise.all(processes.map(({ exit }) => exit));
  return count(accounts);
}

/** Acknowledged deltas so far. */
function count(accounts: Account[]): number {
  return accounts.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
}

function workFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-kill-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function urlOf(running: RunningProcess): Promise<string> {
  const [, url = ''] = await running.says(/ready at (http:\/\/[^\s]+)/);
  return url;
}

it('loses nothing on the embedded database', { timeout: 120_000 }, async () => {
  const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => chain.close());
  const env = systemEnvironment(workFolder(), chain);
  const start = async () => {
    const running = startNode('src/entry/dev.ts', { env });
    return { url: await urlOf(running), processes: [running] };
  };
  const total = await killRounds(chain, seeded(7), start, async () => {});
  expect(total).toBeGreaterThanOrEqual(3 * rounds);
});

it('loses nothing on Postgres, whose server is killed too', { timeout: 180_000 }, async () => {
  const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => chain.close());
  const cluster = await startCluster({ durable: true });
  onTestFinished(() => cluster.remove());
  const database = await openDatabase({ databaseUrl: cluster.url() });
  await migrate(database);
  await database.close();
  const env = { ...systemEnvironment(workFolder(), chain), DATABASE_URL: cluster.url() };
  let running = true;
  const start = async () => {
    if (!running) await cluster.start();
    running = true;
    const api = startNode('src/entry/api.ts', { env });
    const worker = startNode('src/entry/worker.ts', { env });
    await worker.says(/worker ready/);
    return { url: await urlOf(api), processes: [api, worker] };
  };
  const random = seeded(11);
  const total = await killRounds(chain, random, start, async () => {
    if (random() < 0.5) return;
    await cluster.kill();
    running = false;
  });
  expect(total).toBeGreaterThanOrEqual(3 * rounds);
});
