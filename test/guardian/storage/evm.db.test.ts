/** User operations of EVM accounts in an encrypted store, beside a real chain. */
import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import { withoutAnvil } from '../../evm/anvil.ts';
import { openCaller } from '../../evm/caller.ts';
import { openStage, type EvmStage } from '../../evm/stage.ts';
import { openEvmWallet } from '../../evm/wallet.ts';
import { openInProcess, type Service } from '../../http/service.ts';
import { openEmbeddedCopy } from '../../support/databases.ts';
import { everyRow } from './scan.ts';

describe.skipIf(withoutAnvil)(`EVM proposals, encrypted${withoutAnvil}`, () => {
  let stage: EvmStage;
  let service: Service;
  let database: Database;
  beforeAll(async () => {
    stage = await openStage();
    database = await openEmbeddedCopy();
    const key = Buffer.alloc(32, 9).toString('base64');
    const env = { ...stage.environment, GUARDIAN_STORAGE_ENCRYPTION_KEY: key };
    service = await openInProcess(env, database);
  });
  afterAll(async () => {
    await service?.close();
    await database?.close();
    await stage?.stop();
  });

  it('answers as ever, and keeps no user operation in the clear', async () => {
    const wallets = [openEvmWallet('http://unused'), openEvmWallet('http://unused')];
    const [alice, bob] = wallets.map((wallet) => openCaller(service, wallet)) as [
      ReturnType<typeof openCaller>,
      ReturnType<typeof openCaller>,
    ];
    await Promise.all([alice.enter(), bob.enter()]);
    const account = await stage.createAccount(
      wallets.map(({ address }) => address),
      2,
    );
    await alice.post('/evm/accounts', {
      chain_id: account.chainId,
      account_address: account.address,
      multisig_validator_address: account.validator,
    });
    const payload = '{"callData":"to my dentist, 1234 gold"}';
    const body = await alice.proposal(account, { payload });
    const created = await alice.post('/evm/proposals', body);
    expect(created).toMatchObject({ payload });
    // proposing again is no other
    expect(await alice.post('/evm/proposals', body)).toEqual(created);
    const id = String(created['proposal_id']);
    const query = `account_id=${account.accountId}`;
    expect(await bob.get(`/evm/proposals?${query}`)).toMatchObject({ proposals: [created] });
    expect(await bob.get(`/evm/proposals/${id}?${query}`)).toEqual(created);

    const rows = await everyRow(database.sql);
    expect(rows.filter((row) => row.includes('dentist'))).toEqual([]);
    const sealed = rows.filter((row) => row.startsWith('guardian.evm_proposal:'));
    expect(sealed).toEqual([expect.stringContaining('"alg":"AES-256-GCM","kid":"k1"') as string]);

    await database.sql`update guardian.evm_proposal set payload = replace(payload, 'k1', 'k2')`;
    const path = `/evm/proposals/${id}?${query}`;
    const answer = await service.send(path, { headers: { cookie: bob.cookie } });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'account_data_unavailable' });
  });
});
