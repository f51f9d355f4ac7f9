/** Registration of EVM accounts, in one process on the embedded database, beside a real chain. */
import type { Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPrometheus } from '../../../src/observability/prometheus.ts';
import { withoutAnvil } from '../../evm/anvil.ts';
import { openCaller } from '../../evm/caller.ts';
import { openStage, type EvmStage } from '../../evm/stage.ts';
import { openEvmWallet } from '../../evm/wallet.ts';
import { openInProcess, type Service } from '../../http/service.ts';
import { readSamples, total } from '../../observability/exposition.ts';

const prometheus = openPrometheus();

const somebody: Hex = `0x${'5b'.repeat(20)}`;

describe.skipIf(withoutAnvil)(`EVM accounts${withoutAnvil}`, () => {
  let stage: EvmStage;
  let service: Service;
  beforeAll(async () => {
    stage = await openStage();
    service = await openInProcess(stage.environment, undefined, prometheus.metrics);
  });
  afterAll(async () => {
    await service?.close();
    await stage?.stop();
  });
  const open = () => {
    const wallet = openEvmWallet('http://unused');
    return { wallet, caller: openCaller(service, wallet) };
  };

  it.each([
    ['no body', {}, 'invalid_input'],
    ['a chain that is no number', { chain_id: '31337' }, 'invalid_input'],
    ['a chain that is not served', { chain_id: 5 }, 'unsupported_evm_chain'],
    ['an address that is none', { account_address: 'x'.repeat(100_000) }, 'invalid_input'],
  ])('refuse %s', async (_name, change, code) => {
    const { wallet, caller } = open();
    await caller.enter();
    const account = await stage.createAccount([wallet.address], 1);
    const body = {
      chain_id: account.chainId,
      account_address: account.address,
      multisig_validator_address: account.validator,
      ...change,
    };
    await caller.refused('/evm/accounts', Object.keys(change).length ? body : {}, 400, code);
  });

  it('follow the chain: signer, module, and what no validator may say', async () => {
    const { wallet, caller } = open();
    await caller.enter();
    const account = await stage.createAccount([somebody], 1);
    const body = {
      chain_id: account.chainId,
      account_address: account.address,
      multisig_validator_address: account.validator,
    };
    await caller.refused('/evm/accounts', body, 403, 'signer_not_authorized');
    await account.setSigners([somebody, wallet.address], 2);
    for (let again = 0; again < 2; again += 1) {
      expect(await caller.post('/evm/accounts', body)).toMatchObject({
        account_id: account.accountId,
        signers: [somebody, wallet.address],
        threshold: 2,
      });
    }
    const samples = readSamples(await prometheus.text());
    expect(total(samples, 'guardian_accounts_created_total', { kind: 'evm' })).toBe(1);
    await account.uninstall();
    await caller.refused('/evm/accounts', body, 400, 'invalid_network_config');
  });

  it('move to another validator on the word of one of its signers, also while paused', async () => {
    const [first, second] = [open(), open()];
    await Promise.all([first.caller.enter(), second.caller.enter()]);
    const account = await stage.createAccount([first.wallet.address], 1);
    const body = (validator: Hex) => ({
      chain_id: account.chainId,
      account_address: account.address,
      multisig_validator_address: validator,
    });
    await first.caller.post('/evm/accounts', body(account.validator));
    const created = await first.caller.post('/evm/proposals', await first.caller.proposal(account));
    const another = await account.addValidator([second.wallet.address], 1);
    const refused = [403, 'signer_not_authorized'] as const;
    await first.caller.refused('/evm/accounts', body(another), ...refused);
    await second.caller.refused('/evm/accounts', body(account.validator), ...refused);
    const pause = (at: string) =>
      service.execute(`update guardian.evm_account set paused_at = ${at}
        where account_id = '${account.accountId}'`);
    await pause('now()');
    expect(await second.caller.post('/evm/accounts', body(another))).toMatchObject({
      signers: [second.wallet.address],
    });
    await pause('null');
    // proposals keep the validator they were made with; new ones are the new signers'
    const proposed = await second.caller.proposal(account);
    expect(await second.caller.post('/evm/proposals', proposed)).toMatchObject({
      validator_address: another,
    });
    await first.caller.refused('/evm/proposals', await first.caller.proposal(account), ...refused);
    const path = `/evm/proposals/${String(created['proposal_id'])}?account_id=${account.accountId}`;
    expect(await first.caller.get(path)).toEqual(created);
  });

  it('are refused with 502 when the chain makes no sense or is gone', async () => {
    const { wallet, caller } = open();
    await caller.enter();
    const account = await stage.createAccount([wallet.address], 1);
    await account.claimCount(3);
    const send = (from: Service, body: object) =>
      from.send('/evm/accounts', {
        method: 'POST',
        headers: { cookie: caller.cookie, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const body = {
      chain_id: account.chainId,
      account_address: account.address,
      multisig_validator_address: account.validator,
    };
    for (const wrong of [body, { ...body, account_address: somebody }]) {
      const response = await send(service, wrong);
      expect(response.status).toBe(502);
      expect(await response.json()).toMatchObject({
        code: 'rpc_validation_failed',
        meta: { retryable: true },
      });
    }
  });
});
