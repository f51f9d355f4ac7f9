/** API and worker outlive their database: no restart by hand, nothing acknowledged is lost. */
import { expect, it, onTestFinished } from 'vitest';
import { startDevChain } from '../../src/dev-chain/start.ts';
import { databaseLimits } from '../../src/limits.ts';
import { openDatabase } from '../../src/database/connect.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startCluster } from '../support/cluster.ts';
import { runNode } from '../support/process.ts';
import { openWallet } from '../support/wallet.ts';

it('the same processes go on after the database was killed and came back', async () => {
  const cluster = await startCluster({ durable: true });
  onTestFinished(() => cluster.remove());
  const database = await openDatabase({ databaseUrl: cluster.url() });
  await migrate(database);
  await database.close();
  const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => chain.close());
  const env = {
    DATABASE_URL: cluster.url(),
    GUARDIAN_NETWORK_TYPE: 'local',
    // what is measured or shaken here is not one client's share
    GUARDIAN_RATE_LIMIT_ENABLED: 'false',
    GUARDIAN_MIDEN_RPC_ENDPOINT: chain.url,
    PORT: '0',
    LOG_LEVEL: 'warn',
  };
  const api = runNode('src/entry/api.ts', { env });
  const worker = runNode('src/entry/worker.ts', { env });
  const [, url = ''] = await api.says(/ready at (http:\S+)/);
  await worker.says(/worker ready/);
  const wallet = await openWallet(url, 'ecdsa');
  await wallet.configure();
  let nonce = 0;
  for (let round = 0; round < 3; round++) {
    nonce += 1;
    const pushed = await wallet.push(nonce);
    await cluster.kill();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await expect(wallet.client.getState(wallet.accountId)).rejects.toMatchObject({ status: 500 });
    // many attempts fail meanwhile; the connections must not wait long once it is back
    const asking = Array.from({ length: 60 }, () => fetch(`${url}/readyz`));
    for (const answer of await Promise.all(asking)) expect(answer.status).toBe(503);
    await cluster.start();
    await chain.land(wallet.accountId, pushed.newCommitment ?? '');
    await expect
      .poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 4_000 })
      .toBe(200);
    expect(await wallet.settled(nonce)).toBe('canonical');
    await wallet.refresh();
  }
  const stopped = performance.now();
  worker.child.kill('SIGTERM');
  api.child.kill('SIGTERM');
  expect(await Promise.all([worker.exit, api.exit])).toEqual([0, 0]);
  // less than the time that open queries are given: none is left hanging
  expect(performance.now() - stopped).toBeLessThan(databaseLimits.closeSeconds * 1_000);
});
