/** The published EVM client, unmodified, on a real chain and several replicas: Node and Deno. */
import {
  GuardianEvmClient,
  GuardianEvmHttpError,
  signTypedData,
} from '@openzeppelin/guardian-evm-client';
import { keccak256, toHex, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet, type Fleet } from '../cluster/fleet.ts';
import { withoutAnvil } from '../evm/anvil.ts';
import { openStage, type EvmStage } from '../evm/stage.ts';
import { openEvmWallet, type EvmWallet } from '../evm/wallet.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { createLogins, type RoleLogins } from '../support/roles.ts';

const hashOf = (text: string): Hex => keccak256(toHex(text));

describe.skipIf(withoutAnvil)(`guardian-evm-client 0.17.0${withoutAnvil}`, () => {
  let stage: EvmStage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage?.stop());

  /** Two replicas that are asked one after the other, or three behind the proxy. */
  const fleets = [
    { on: 'node', api: 2, deno: 0, workers: 0, proxied: false },
    { on: 'deno', api: 0, deno: 2, workers: 0, proxied: false },
    { on: 'three replicas', api: 2, deno: 1, workers: 1, proxied: true },
  ];
  describe.each(fleets)('on $on with Postgres 18', ({ proxied, ...size }) => {
    let database: TestDatabase;
    let logins: RoleLogins;
    let fleet: Fleet;
    let urls: [string, string];
    beforeAll(async () => {
      database = await createDatabase();
      logins = await createLogins(database.url);
      const env = {
        CANONRY_COMPUTE_THREADS: '1',
        DIRECT_DATABASE_URL: logins.url.worker,
        ...stage.environment,
      };
      fleet = await startFleet({ ...size, databaseUrl: logins.url.api, env });
      const [a, b] = fleet.apis();
      urls = proxied ? [fleet.url, fleet.url] : [a?.url ?? '', b?.url ?? ''];
    });
    afterAll(async () => {
      await fleet?.stop();
      await database?.drop();
      await logins?.drop();
    });

    const loggedIn = async (): Promise<EvmWallet> => {
      const wallet = openEvmWallet(urls[0]);
      await wallet.client.login();
      return wallet;
    };

    it('logs in', async () => {
      const wallet = openEvmWallet(urls[0]);
      const challenge = await wallet.client.challenge();
      expect(challenge.address).toBe(wallet.address);
      expect(challenge.expiresAt - challenge.issuedAt).toBe(300);
      const session = await wallet.client.login();
      expect(session.address).toBe(wallet.address);
      const hours = (session.expiresAt - Date.now()) / 3_600_000;
      expect(hours).toBeGreaterThan(7.9);
      expect(hours).toBeLessThan(8.1);
    });

    it('runs a proposal to executable, and ends it with its nonce', async () => {
      const [alice, bob, carol] = [await loggedIn(), await loggedIn(), await loggedIn()];
      const signers = [alice.address, bob.address, carol.address];
      const account = await stage.createAccount(signers, 2);
      const { chainId, address: smartAccountAddress, validator } = account;
      expect(
        await alice.client.configure({
          chainId,
          smartAccountAddress,
          multisigValidatorAddress: validator,
        }),
      ).toEqual({
        accountId: alice.client.accountId(chainId, smartAccountAddress),
        chainId,
        accountAddress: smartAccountAddress,
        multisigValidatorAddress: validator,
        signers,
        threshold: 2,
      });
      const userOpHash = hashOf('transfer');
      const nonce = (7n << 64n) + 0n;
      const request = {
        chainId,
        smartAccountAddress,
        userOpHash,
        payload: '{"callData":"0x","note":"exactly “this”"}',
        nonce: toHex(nonce),
        ttlSeconds: 3_600,
        signature: await alice.sign(userOpHash),
      };
      const created = await alice.client.createProposal(request);
      expect(created).toMatchObject({
        accountId: account.accountId,
        smartAccountAddress,
        validatorAddress: validator,
        userOpHash,
        payload: request.payload,
        nonce: String(nonce),
        nonceKey: '7',
        proposer: alice.address,
        signerSnapshot: signers,
        threshold: 2,
        signatures: [{ signer: alice.address, signature: request.signature }],
      });
      expect(created.expiresAt - created.createdAt).toBe(3_600_000);
      expect(await alice.client.createProposal(request)).toEqual(created);
      expect(await bob.client.listProposals(account.accountId)).toEqual([created]);
      expect(await bob.client.getProposal(account.accountId, created.proposalId)).toEqual(created);
      await expect(
        bob.client.getExecutableProposal(account.accountId, created.proposalId),
      ).rejects.toMatchObject({ status: 400, code: 'insufficient_signatures' });
      const signature = await bob.sign(userOpHash);
      const approved = await bob.client.approveProposal(account.accountId, created.proposalId, {
        signature,
      });
      expect(approved.signatures.map(({ signer }) => signer)).toEqual([alice.address, bob.address]);
      expect(
        await carol.client.getExecutableProposal(account.accountId, created.proposalId),
      ).toEqual({
        hash: userOpHash,
        payload: request.payload,
        signatures: [request.signature, signature],
        signers: [alice.address, bob.address],
      });
      await account.useNonce(7n);
      expect(await carol.client.listProposals(account.accountId)).toEqual([]);
      await expect(
        carol.client.getExecutableProposal(account.accountId, created.proposalId),
      ).rejects.toMatchObject({ status: 404, code: 'proposal_not_found' });
      await expect(alice.client.createProposal(request)).rejects.toMatchObject({
        status: 400,
        code: 'invalid_evm_proposal',
      });
    });

    it('cancels, by the proposer only', async () => {
      const [alice, bob] = [await loggedIn(), await loggedIn()];
      const account = await stage.createAccount([alice.address, bob.address], 1);
      const { chainId, address: smartAccountAddress, accountId } = account;
      await bob.client.configure({
        chainId,
        smartAccountAddress,
        multisigValidatorAddress: account.validator,
      });
      const userOpHash = hashOf('mistake');
      const { proposalId } = await alice.client.createProposal({
        chainId,
        smartAccountAddress,
        userOpHash,
        payload: '',
        nonce: '0',
        ttlSeconds: 60,
        signature: await alice.sign(userOpHash),
      });
      await expect(bob.client.cancelProposal(accountId, proposalId)).rejects.toMatchObject({
        status: 403,
        code: 'authorization_failed',
      });
      await alice.client.cancelProposal(accountId, proposalId);
      await expect(bob.client.getProposal(accountId, proposalId)).rejects.toMatchObject({
        status: 404,
      });
    });

    it('works whichever replica answers: login, session, logout', async () => {
      const [a, b] = urls;
      const wallet = openEvmWallet(a);
      const elsewhere = new GuardianEvmClient({ guardianUrl: b, provider: wallet.provider });
      const challenge = await wallet.client.challenge();
      const { provider, address } = wallet;
      const signature = await signTypedData(provider, address, challenge.typedData);
      const body = JSON.stringify({ address, nonce: challenge.nonce, signature });
      const verify = (url: string) =>
        fetch(`${url}/evm/auth/verify`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
      // twelve at once on both replicas: the challenge opens one session
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) => verify(i % 2 ? a : b)),
      );
      const statuses = answers.map(({ status }) => status).toSorted();
      expect(statuses).toEqual([200, ...Array.from({ length: 11 }, () => 401)]);
      const cookie =
        answers
          .find(({ ok }) => ok)
          ?.headers.get('set-cookie')
          ?.split(';')[0] ?? '';
      expect(cookie).toMatch(/^guardian_evm_session=0x[0-9a-f]{64}$/);

      const ask = async (url: string) =>
        (await fetch(`${url}/evm/proposals?account_id=evm:1:0x${'0'.repeat(40)}`, {
          headers: { cookie },
        }).then((answer) => answer.json())) as { code: string };
      expect(await ask(a)).toMatchObject({ code: 'account_not_found' });
      expect(await ask(b)).toMatchObject({ code: 'account_not_found' });
      await fetch(`${b}/evm/auth/logout`, { method: 'POST', headers: { cookie } });
      expect(await ask(a)).toMatchObject({ code: 'authentication_failed' });
      expect(await ask(b)).toMatchObject({ code: 'authentication_failed' });

      await elsewhere.login();
      await elsewhere.logout();
      await expect(elsewhere.listProposals(`evm:1:0x${'0'.repeat(40)}`)).rejects.toThrow(
        GuardianEvmHttpError,
      );
    });
  });
});
