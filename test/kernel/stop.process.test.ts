/** A worker that is asked to stop while the chain hangs is gone at once, and its line is free. */
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { startLabChain } from '../faults/chain.ts';
import { seeded } from '../faults/random.ts';
import { createDatabase } from '../support/databases.ts';
import { runNode } from '../support/process.ts';
import { openWallet } from '../support/wallet.ts';

it('SIGTERM in the middle of a look: the next worker has the line within a second', async () => {
  const created = await createDatabase();
  const database = await openDatabase({ databaseUrl: created.url });
  const chain = await startLabChain(seeded(1));
  onTestFinished(async () => {
    await chain.close();
    await database.close();
    await created.drop();
  });
  const env = {
    DATABASE_URL: created.url,
    GUARDIAN_NETWORK_TYPE: 'local',
    GUARDIAN_MIDEN_RPC_ENDPOINT: chain.url,
    GUARDIAN_MIDEN_RPC_TIMEOUT_MS: '10000',
    PORT: '0',
    LOG_LEVEL: 'warn',
  };
  const api = runNode('src/entry/api.ts', { env });
  const first = runNode('src/entry/worker.ts', { env });
  const [, url = ''] = await api.says(/ready at (http:\S+)/);
  await first.says(/worker ready/);
  const wallet = await openWallet(url, 'ecdsa');
  await wallet.configure();
  await chain.set('hang');
  const asked = chain.calls();
  const pushed = await wallet.push(1);
  await expect.poll(() => chain.calls()).toBeGreaterThan(asked);
  const holder = async () => {
    const [line] = await database.sql<{ holder: string | null }[]>`
      select holder from canonry.line where account = ${wallet.accountId}`;
    return line?.holder;
  };
  const before = await holder();
  expect(before).toEqual(expect.any(String));
  // a second worker is there to take over; the chain hangs for it as well
  const second = runNode('src/entry/worker.ts', { env });
  await second.says(/worker ready/);
  expect(await holder()).toBe(before);

  const stopped = performance.now();
  first.child.kill('SIGTERM');
  await expect
    .poll(async () => [null, before].includes(await holder()), { interval: 20, timeout: 20_000 })
    .toBe(false);
  expect(performance.now() - stopped).toBeLessThan(1_500);
  expect(await first.exit).toBe(0);
  expect(performance.now() - stopped).toBeLessThan(3_000);

  chain.land(wallet.accountId, pushed.newCommitment ?? '');
  await chain.set('honest');
  expect(await wallet.settled(1)).toBe('canonical');
});
