/** Proposals of EVM accounts, in one process on the embedded database, beside a real chain. */
import { encodeAbiParameters, keccak256, parseAbiParameters, type Hex } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withoutAnvil } from '../../evm/anvil.ts';
import { openCaller, type Caller } from '../../evm/caller.ts';
import { openStage, type EvmStage, type SmartAccount } from '../../evm/stage.ts';
import { openEvmWallet } from '../../evm/wallet.ts';
import { openInProcess, type Service } from '../../http/service.ts';

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The same signature in its other form, which contracts refuse. */
function withLargeS(signature: Hex): Hex {
  const s = order - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.endsWith('1b') ? '1c' : '1b';
  return `${signature.slice(0, 66) as Hex}${s.toString(16).padStart(64, '0')}${v}`;
}

describe.skipIf(withoutAnvil)(`EVM proposals${withoutAnvil}`, () => {
  let stage: EvmStage;
  let service: Service;
  beforeAll(async () => {
    stage = await openStage();
    service = await openInProcess(stage.environment);
  });
  afterAll(async () => {
    await service?.close();
    await stage?.stop();
  });
  const open = () => {
    const wallet = openEvmWallet('http://unused');
    return { wallet, caller: openCaller(service, wallet) };
  };

  let account: SmartAccount;
  let signers: { wallet: ReturnType<typeof openEvmWallet>; caller: Caller }[];
  const [alice, bob, mallory] = [0, 1, 2].map((i) => () => signers[i]?.caller as Caller) as [
    () => Caller,
    () => Caller,
    () => Caller,
  ];
  const wallet = (i: number) => signers[i]?.wallet as ReturnType<typeof openEvmWallet>;
  beforeEach(async () => {
    signers = [open(), open(), open()];
    await Promise.all(signers.map(({ caller }) => caller.enter()));
    account = await stage.createAccount([wallet(0).address, wallet(1).address], 2);
    await alice().post('/evm/accounts', {
      chain_id: account.chainId,
      account_address: account.address,
      multisig_validator_address: account.validator,
    });
  });
  const listed = async (caller: Caller) =>
    (await caller.get(`/evm/proposals?account_id=${account.accountId}`))['proposals'] as Record<
      string,
      unknown
    >[];

  it('have the id that follows from what they propose', async () => {
    const body = await alice().proposal(account, { nonce: '0x1f', ttl_seconds: 90 });
    const created = await alice().post('/evm/proposals', body);
    const types = parseAbiParameters('uint256, address, address, bytes32, uint256');
    expect(created).toMatchObject({
      proposal_id: keccak256(
        encodeAbiParameters(types, [
          BigInt(account.chainId),
          account.address,
          account.validator,
          body.user_op_hash,
          31n,
        ]),
      ),
      nonce: '31',
      nonce_key: '0',
    });
    // what another signer sends under the same id changes nothing
    const again = await bob().proposal(account, {
      user_op_hash: body.user_op_hash,
      nonce: '31',
      payload: 'another',
    });
    expect(await bob().post('/evm/proposals', again)).toEqual(created);
    const largest = await alice().proposal(account, { nonce: String(2n ** 256n - 1n) });
    expect(await alice().post('/evm/proposals', largest)).toMatchObject({
      nonce: largest['nonce'],
      nonce_key: String(2n ** 192n - 1n),
    });
    expect(await listed(bob())).toHaveLength(2);
  });

  it.each([
    [{ user_op_hash: '0x12' }, 'invalid_evm_proposal'],
    [{ nonce: '-1' }, 'invalid_evm_proposal'],
    [{ nonce: '0x' }, 'invalid_evm_proposal'],
    [{ nonce: String(2n ** 256n) }, 'invalid_evm_proposal'],
    [{ nonce: 1 }, 'invalid_evm_proposal'],
    [{ ttl_seconds: 0 }, 'invalid_evm_proposal'],
    [{ ttl_seconds: 1.5 }, 'invalid_evm_proposal'],
    [{ ttl_seconds: 1e15 }, 'invalid_evm_proposal'],
    [{ payload: { a: 1 } }, 'invalid_evm_proposal'],
    [{ payload: 'a\0b' }, 'invalid_evm_proposal'],
    [{ payload: '\ud800' }, 'invalid_evm_proposal'],
    [{ payload: 'x'.repeat(300_000) }, 'invalid_evm_proposal'],
    [{ signature: '0x12' }, 'invalid_evm_proposal'],
    [{ signature: `0x${'11'.repeat(64)}1b` }, 'invalid_proposal_signature'],
    [{ account_id: 'evm:1' }, 'invalid_account_id'],
    [{ account_id: `0x${'00'.repeat(15)}` }, 'unsupported_for_network'],
  ])('refuse %o', async (change, code) => {
    const body = { ...(await alice().proposal(account)), ...change };
    await alice().refused('/evm/proposals', body, 400, code);
    expect(await listed(alice())).toEqual([]);
  });

  it('are for the signers of the moment, and for those they were made with', async () => {
    const foreign = await mallory().proposal(account);
    await mallory().refused('/evm/proposals', foreign, 403, 'signer_not_authorized');
    const created = await alice().post('/evm/proposals', await alice().proposal(account));
    const path = `/evm/proposals/${String(created['proposal_id'])}`;
    const query = `?account_id=${account.accountId}`;
    // a signer who came later is in no snapshot, one who left still is
    await account.setSigners([wallet(0).address, wallet(2).address], 1);
    const approval = {
      account_id: account.accountId,
      signature: await wallet(2).sign(created['user_op_hash'] as Hex),
    };
    for (const [target, body] of [
      [`/evm/proposals${query}`, undefined],
      [path + query, undefined],
      [`${path}/executable${query}`, undefined],
      [`${path}/approve`, approval],
    ] as const) {
      await mallory().refused(target, body, 403, 'signer_not_authorized');
    }
    await mallory().refused(`${path}/cancel`, approval, 403, 'authorization_failed');
    expect(await listed(bob())).toHaveLength(1);
    await bob().refused(
      '/evm/proposals',
      await bob().proposal(account),
      403,
      'signer_not_authorized',
    );
  });

  it('take one signature of each signer, in any order and at once', async () => {
    const created = await alice().post('/evm/proposals', await alice().proposal(account));
    const hash = created['user_op_hash'] as Hex;
    const path = `/evm/proposals/${String(created['proposal_id'])}/approve`;
    const body = { account_id: account.accountId, signature: await wallet(1).sign(hash) };
    const twice = { ...body, signature: await wallet(0).sign(hash) };
    await alice().refused(path, twice, 409, 'proposal_already_signed');
    for (const signature of [
      twice.signature,
      withLargeS(body.signature),
      'hello',
      `0x${'00'.repeat(65)}`,
    ]) {
      await bob().refused(path, { ...body, signature }, 400, 'invalid_proposal_signature');
    }
    const answers = await Promise.all(
      Array.from({ length: 5 }, () =>
        service.send(path, {
          method: 'POST',
          headers: { cookie: bob().cookie, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409]);
    expect((await listed(alice()))[0]?.['signatures']).toHaveLength(2);
  });

  it('hand out signatures as contracts take them, whatever their last byte counts from', async () => {
    const fromZero = (signature: unknown) =>
      String(signature).replace(/1b$/, '00').replace(/1c$/, '01');
    const body = await alice().proposal(account);
    const created = await alice().post('/evm/proposals', {
      ...body,
      signature: fromZero(body['signature']),
    });
    const path = `/evm/proposals/${String(created['proposal_id'])}`;
    const signed = await wallet(1).sign(body.user_op_hash);
    const approval = { account_id: account.accountId, signature: fromZero(signed) };
    await bob().post(`${path}/approve`, approval);
    const executable = await bob().get(`${path}/executable?account_id=${account.accountId}`);
    expect(executable['signatures']).toEqual([body['signature'], signed]);
  });

  it('are hidden while their nonce counts as used, and gone when they expire', async () => {
    const created = await alice().post('/evm/proposals', await alice().proposal(account));
    const other = await alice().proposal(account, { nonce: String(9n << 64n) });
    await alice().post('/evm/proposals', other);
    const path = `/evm/proposals/${String(created['proposal_id'])}`;
    const query = `?account_id=${account.accountId}`;
    await account.useNonce(0n);
    for (const target of [path + query, `${path}/executable${query}`]) {
      await bob().refused(target, undefined, 404, 'proposal_not_found');
    }
    const approval = {
      account_id: account.accountId,
      signature: await wallet(1).sign(created['user_op_hash'] as Hex),
    };
    await bob().refused(`${path}/approve`, approval, 404, 'proposal_not_found');
    await alice().refused(`${path}/cancel`, approval, 404, 'proposal_not_found');
    expect(await listed(bob())).toMatchObject([{ nonce_key: '9' }]);
    await service.execute(`update guardian.evm_proposal set expires_at = clock_timestamp()
        where account_id = '${account.accountId}'`);
    expect(await listed(bob())).toEqual([]);
    expect(await alice().post('/evm/proposals', other)).toMatchObject({ nonce_key: '9' });
    // the sweep takes what has expired, and not what was proposed again
    const sweep = () => service.execute('select guardian.sweep_evm_proposals(1) as swept');
    expect(await sweep()).toMatchObject([{ swept: 1 }]);
    expect(await sweep()).toMatchObject([{ swept: 0 }]);
    expect(await listed(bob())).toMatchObject([{ nonce_key: '9' }]);
  });

  it('come back when the chain takes the nonce back', async () => {
    const created = await alice().post('/evm/proposals', await alice().proposal(account));
    const before = await stage.snapshot();
    await account.useNonce(0n);
    expect(await listed(bob())).toEqual([]);
    await stage.revert(before);
    expect(await listed(bob())).toEqual([created]);
  });

  it('are limited in number; executed ones do not count', async () => {
    const keys = Array.from({ length: 20 }, (_, key) => BigInt(key));
    for (const key of keys) {
      const nonce = String(key << 64n);
      await alice().post('/evm/proposals', await alice().proposal(account, { nonce }));
    }
    const next = await alice().proposal(account, { nonce: String(20n << 64n) });
    await alice().refused('/evm/proposals', next, 409, 'pending_proposals_limit');
    await account.useNonce(3n);
    expect(await alice().post('/evm/proposals', next)).toMatchObject({ nonce_key: '20' });
    expect(await listed(alice())).toHaveLength(20);
  });

  it('are frozen while the account is paused or released; reading goes on', async () => {
    const created = await alice().post('/evm/proposals', await alice().proposal(account));
    const path = `/evm/proposals/${String(created['proposal_id'])}`;
    const body = {
      account_id: account.accountId,
      signature: await wallet(1).sign(created['user_op_hash'] as Hex),
    };
    const where = `where account_id = '${account.accountId}'`;
    await service.execute(`update guardian.evm_account
        set paused_at = now(), paused_reason = 'looking into it' ${where}`);
    const frozen = async (code: string) => {
      await alice().refused('/evm/proposals', await alice().proposal(account), 409, code);
      await bob().refused(`${path}/approve`, body, 409, code);
      await alice().refused(`${path}/cancel`, body, 409, code);
    };
    await frozen('GUARDIAN_ACCOUNT_PAUSED');
    expect(await listed(bob())).toEqual([created]);
    // whoever is logged in learns why
    const told = await service.send('/evm/proposals', {
      method: 'POST',
      headers: { cookie: mallory().cookie, 'content-type': 'application/json' },
      body: JSON.stringify(await mallory().proposal(account)),
    });
    expect(await told.json()).toMatchObject({
      code: 'GUARDIAN_ACCOUNT_PAUSED',
      meta: { paused_reason: 'looking into it' },
    });
    await service.execute(`update guardian.evm_account set released_at = now() ${where}`);
    await frozen('GUARDIAN_ACCOUNT_RELEASED');
    await service.execute(
      `update guardian.evm_account set released_at = null, paused_at = null ${where}`,
    );
    expect(await alice().post(`${path}/cancel`, body)).toEqual({ success: true });
  });
});
