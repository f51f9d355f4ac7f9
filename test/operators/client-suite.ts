/**
 * Every method of the published operator client, on a running service. What the service is, how
 * many processes it has and what stands before them is the caller's: the suite knows a URL.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GuardianOperatorHttpClient,
  GuardianOperatorHttpError,
} from '@openzeppelin/guardian-operator-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64 } from '../../src/guardian/accounts/wire.ts';
import { buildSummary } from '../../src/guardian/networks/miden/summary/build.ts';
import { openWallet, type Wallet } from '../support/wallet.ts';
import { createOperatorKey, type OperatorKey } from './operator.ts';

export interface OperatorService {
  url: string;
  /** May do everything; `reader` has only what a bare key in the list gives. */
  admin: OperatorKey;
  reader: OperatorKey;
  /** The chain shows this commitment from now on. */
  land(accountId: string, commitment: string): Promise<void>;
  stop(): Promise<void>;
}

/** A client that keeps its cookie, as a browser does. */
export function openOperatorClient(url: string): GuardianOperatorHttpClient {
  let cookie = '';
  return new GuardianOperatorHttpClient({
    baseUrl: url,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      if (cookie) headers.set('cookie', cookie);
      const answer = await fetch(input, { ...init, headers });
      const set = answer.headers.get('set-cookie');
      if (set) cookie = set.split(';')[0] ?? '';
      return answer;
    },
  });
}

export async function enter(url: string, key: OperatorKey): Promise<GuardianOperatorHttpClient> {
  const client = openOperatorClient(url);
  const { challenge } = await client.challenge(key.commitment);
  const { commitment } = key;
  await client.verify({ commitment, signature: key.sign(challenge.signingDigest) });
  return client;
}

/** What the client makes of a refusal. */
export async function refusalOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await promise.then(
    () => new Error('there was no refusal'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GuardianOperatorHttpError) || !error.data) throw error;
  return { status: error.status, ...error.data };
}

/** What the cases work with; filled when the service is up. */
interface Stage {
  service: OperatorService;
  admin: GuardianOperatorHttpClient;
  /** Has one canonical delta, one candidate that was pushed from a proposal, and a proposal. */
  wallet: Wallet;
  /** Commitment of the proposal that nobody pushes. */
  pending: string;
}

async function propose(wallet: Wallet, nonce: number): Promise<string> {
  const summary = buildSummary({ state: wallet.state, salt: BigInt(nonce) });
  const { commitment } = await wallet.client.pushDeltaProposal({
    accountId: wallet.accountId,
    nonce,
    deltaPayload: {
      txSummary: { data: encodeBase64(summary) },
      signatures: [],
      metadata: { proposalType: 'custom', description: `number ${nonce}`, requiredSignatures: 1 },
    },
  });
  return commitment;
}

async function prepare(service: OperatorService): Promise<Stage> {
  const admin = await enter(service.url, service.admin);
  const wallet = await openWallet(service.url, 'ecdsa');
  await wallet.configure();
  const { newCommitment } = await wallet.push(1);
  await service.land(wallet.accountId, newCommitment ?? '');
  await wallet.settled(1);
  await wallet.refresh();
  await propose(wallet, 2);
  const pending = await propose(wallet, 3);
  await wallet.push(2);
  return { service, admin, wallet, pending };
}

export function describeOperatorClient(name: string, open: () => Promise<OperatorService>): void {
  describe(name, () => {
    let service: OperatorService;
    let stage: Stage;
    beforeAll(async () => {
      service = await open();
      stage = await prepare(service);
    });
    afterAll(() => service?.stop());
    for (const cases of [loginCases, readCases, deltaCases, changeCases]) cases(() => stage);
  });
}

function loginCases(stage: () => Stage): void {
  it('logs in, tells who is logged in, and logs out', async () => {
    const { service } = stage();
    const client = openOperatorClient(service.url);
    const { commitment } = service.reader;
    const { challenge } = await client.challenge(commitment);
    expect(challenge).toMatchObject({ domain: '*', commitment });
    const signature = service.reader.sign(challenge.signingDigest);
    const verified = await client.verify({ commitment, signature });
    expect(verified.operatorId).toBe(commitment);
    const hours = (Date.parse(verified.expiresAt) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(7.9);
    expect(hours).toBeLessThan(8.1);
    expect(await client.getSession()).toEqual({
      operatorId: commitment,
      permissions: ['dashboard:read'],
    });
    expect(await refusalOf(client.verify({ commitment, signature }))).toMatchObject({
      status: 401,
      code: 'authentication_failed',
    });
    expect(await client.logout()).toEqual({ success: true });
    expect(await refusalOf(client.getSession())).toMatchObject({ status: 401 });
  });

  it('lets no stranger in', async () => {
    const { service } = stage();
    const stranger = createOperatorKey();
    expect(await refusalOf(enter(service.url, stranger))).toMatchObject({
      status: 401,
      code: 'authentication_failed',
      retryable: false,
    });
  });
}

function readCases(stage: () => Stage): void {
  it('shows the service', async () => {
    const { admin } = stage();
    const info = await admin.getDashboardInfo();
    expect(info).toMatchObject({ serviceStatus: 'healthy', degradedAggregates: [] });
    expect(info.totalAccountCount).toBeGreaterThan(0);
    expect(info.accountsByAuthMethod['miden_ecdsa']).toBeGreaterThan(0);
    expect(info.deltaStatusCounts.canonical).toBeGreaterThan(0);
    expect(info.inFlightProposalCount).toBeGreaterThan(0);
    expect(info.backend.canonicalization).toMatchObject({ maxRetries: 48 });
    expect(info.latestActivity).not.toBeNull();
  });

  it('lists accounts and shows one', async () => {
    const { admin, wallet } = stage();
    const page = await admin.listAccounts({ limit: 500 });
    const listed = page.items.find(({ accountId }) => accountId === wallet.accountId);
    expect(listed).toMatchObject({
      authScheme: 'ecdsa',
      authorizedSignerCount: 1,
      hasPendingCandidate: true,
      currentCommitment: wallet.commitment,
      stateStatus: 'available',
      pausedAt: null,
      releasedAt: null,
    });
    expect(await admin.getAccount(wallet.accountId)).toMatchObject({
      ...listed,
      authorizedSignerIds: [wallet.signer.commitment],
    });
    expect(await admin.getAccountSnapshot(wallet.accountId)).toMatchObject({
      commitment: wallet.commitment,
      hasPendingCandidate: true,
      vault: { fungible: [], nonFungible: [] },
    });
    expect(await refusalOf(admin.getAccount(`0x${'1'.repeat(30)}`))).toMatchObject({
      status: 404,
      code: 'account_not_found',
    });
  });
}

function deltaCases(stage: () => Stage): void {
  it('lists deltas, of the account and of all', async () => {
    const { admin, wallet } = stage();
    const first = await admin.listAccountDeltas(wallet.accountId, { limit: 1 });
    expect(first.items).toMatchObject([
      { nonce: 2, status: 'candidate', retryCount: 0, proposalType: 'custom' },
    ]);
    const cursor = first.nextCursor ?? '';
    const second = await admin.listAccountDeltas(wallet.accountId, { limit: 1, cursor });
    expect(second.nextCursor).toBeNull();
    expect(second.items).toMatchObject([{ nonce: 1, status: 'canonical', category: 'custom' }]);
    expect(second.items[0]).not.toHaveProperty('proposalType');
    const all = await admin.listGlobalDeltas({ status: ['canonical', 'candidate'], limit: 500 });
    const own = all.items.filter(({ accountId }) => accountId === wallet.accountId);
    expect(own.map(({ nonce }) => nonce)).toEqual([2, 1]);
    const canonical = await admin.listGlobalDeltas({ status: 'canonical' });
    expect(canonical.items.every(({ status }) => status === 'canonical')).toBe(true);
    expect(
      await refusalOf(admin.listGlobalDeltas({ status: 'pending' as 'candidate' })),
    ).toMatchObject({ status: 400, code: 'invalid_status_filter' });
    expect(await refusalOf(admin.listAccountDeltas(wallet.accountId, { limit: 0 }))).toMatchObject({
      status: 400,
      code: 'invalid_limit',
    });
  });

  it('shows what a delta does', async () => {
    const { admin, wallet } = stage();
    const detail = await admin.getAccountDeltaDetail(wallet.accountId, 2, { includeRaw: true });
    expect(detail).toMatchObject({
      accountId: wallet.accountId,
      nonce: 2,
      status: 'candidate',
      prevCommitment: wallet.commitment,
      proposal: { proposalType: 'custom', description: 'number 2', requiredSignatures: 1 },
      inputNotes: [],
      outputNotes: [],
      vaultChanges: [],
      storageChanges: [],
      rawTransactionSummary: encodeBase64(buildSummary({ state: wallet.state, salt: 2n })),
    });
    expect(detail.decodeWarnings).toBeUndefined();
    const plain = await admin.getAccountDeltaDetail(wallet.accountId, 1);
    expect(plain).not.toHaveProperty('rawTransactionSummary');
    expect(plain).not.toHaveProperty('proposal');
    const unknown = await refusalOf(admin.getAccountDeltaDetail(wallet.accountId, 99));
    expect(unknown).toMatchObject({ status: 404, code: 'delta_not_found' });
    const nobody = await refusalOf(admin.getAccountDeltaDetail(`0x${'1'.repeat(30)}`, 99));
    expect(nobody).toEqual(unknown);
  });
}

function changeCases(stage: () => Stage): void {
  it('lists proposals, of the account and of all', async () => {
    const { admin, wallet, pending } = stage();
    const ofAccount = await admin.listAccountProposals(wallet.accountId);
    expect(ofAccount.items.map(({ nonce }) => nonce)).toEqual([3, 2]);
    expect(ofAccount.items[0]).toMatchObject({
      commitment: pending,
      proposerId: wallet.signer.commitment,
      signaturesCollected: 0,
      signaturesRequired: 1,
      newCommitment: null,
      proposalType: 'custom',
    });
    const all = await admin.listGlobalProposals({ limit: 500 });
    expect(all.items).toContainEqual({ ...ofAccount.items[0], accountId: wallet.accountId });
  });

  it('pauses an account, which then refuses changes, and unpauses it', async () => {
    const { service, admin, wallet } = stage();
    const { accountId } = wallet;
    const paused = await admin.pauseAccount(accountId, 'looks odd');
    expect(paused).toMatchObject({ beforeState: 'active', afterState: 'paused' });
    expect((await admin.listAccounts({ paused: true, limit: 500 })).items).toContainEqual(
      expect.objectContaining({ accountId, pausedReason: 'looks odd' }),
    );
    await expect(propose(wallet, 4)).rejects.toMatchObject({ status: 409, code: 'account_paused' });
    expect(await admin.unpauseAccount(accountId, 'was fine')).toEqual({
      accountId,
      beforeState: 'paused',
      afterState: 'active',
      reason: 'was fine',
    });
    expect(await admin.unpauseAccount(accountId)).toMatchObject({ reason: null });
    const reader = await enter(service.url, service.reader);
    expect(await refusalOf(reader.pauseAccount(accountId, 'no'))).toMatchObject({
      status: 403,
      code: 'insufficient_operator_permission',
      missingPermissions: ['accounts:pause'],
      retryable: false,
    });
    expect((await admin.getAccount(accountId)).pausedAt).toBeNull();
  });

  it('follows a delta to canonical, with what its proposal said', async () => {
    const { service, admin, wallet, pending } = stage();
    const { newCommitment } = await wallet.client.getDelta(wallet.accountId, 2);
    await service.land(wallet.accountId, newCommitment ?? '');
    while ((await admin.getAccountDeltaDetail(wallet.accountId, 2)).status === 'candidate') {
      await sleep(50);
    }
    expect(await admin.getAccountDeltaDetail(wallet.accountId, 2)).toMatchObject({
      status: 'canonical',
      proposal: { proposalType: 'custom', description: 'number 2' },
    });
    const { items } = await admin.listAccountProposals(wallet.accountId);
    expect(items.map(({ commitment }) => commitment)).toEqual([pending]);
  });
}
