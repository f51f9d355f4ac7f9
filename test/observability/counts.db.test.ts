/** What the routes count, in one process on the embedded database. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeBase64 } from '../../src/guardian/accounts/wire.ts';
import { buildSummary } from '../../src/guardian/networks/miden/summary/build.ts';
import { openPrometheus } from '../../src/observability/prometheus.ts';
import { openInProcess, type Service } from '../http/service.ts';
import { openHolder, type Prepared } from '../http/signed.ts';
import {
  createOperatorKey,
  logIn,
  writeAllowlist,
  type AllowlistFile,
} from '../operators/operator.ts';
import { readSamples, total } from './exposition.ts';

const operator = createOperatorKey('ecdsa');
const prometheus = openPrometheus();
let allowlist: AllowlistFile;
let service: Service;

beforeAll(async () => {
  allowlist = writeAllowlist([operator.publicKey]);
  const limits = {
    GUARDIAN_RATE_LIMIT_ENABLED: 'true',
    GUARDIAN_RATE_BURST_PER_SEC: '20',
    GUARDIAN_DASHBOARD_COMMITMENT_RATE_BURST_PER_SEC: '2',
    // no login asks the chain
    GUARDIAN_EVM_RPC_URLS: '31337=http://127.0.0.1:9',
  };
  service = await openInProcess(
    { ...allowlist.environment, ...limits },
    undefined,
    prometheus.metrics,
  );
});
afterAll(async () => {
  await service?.close();
  allowlist?.remove();
});

const send = async ({ path, init }: Prepared) => (await service.send(path, init)).status;
const count = async (name: string, labels: Record<string, string> = {}) =>
  total(readSamples(await prometheus.text()), name, labels);

it('counts proposals once, and a delta by where it comes from', async () => {
  const holder = await openHolder(service.send);
  const data = encodeBase64(buildSummary({ state: holder.state, salt: 5n }));
  const body = {
    account_id: holder.accountId,
    nonce: 5n,
    delta_payload: { tx_summary: { data }, signatures: [], metadata: { proposal_type: 'p2id' } },
  };
  const proposals = 'guardian_proposals_total';
  expect(await send(holder.post('/delta/proposal', body))).toBe(200);
  expect(await count(proposals, { event: 'created' })).toBe(1);
  // as it stands: nothing new
  expect(await send(holder.post('/delta/proposal', body))).toBe(200);
  expect(await count(proposals, { event: 'created' })).toBe(1);

  const submitted = 'guardian_deltas_submitted_total';
  const delta = holder.deltaBody(5);
  expect(await send(holder.post('/delta', delta))).toBe(200);
  expect(await send(holder.post('/delta', delta))).toBe(200);
  expect(await count(submitted, { kind: 'proposal_commit' })).toBe(1);
  const other = await openHolder(service.send);
  expect(await send(other.post('/delta', other.deltaBody(1)))).toBe(200);
  expect(await count(submitted, { kind: 'direct' })).toBe(1);
  expect(await count('guardian_accounts_created_total', { kind: 'miden' })).toBe(2);
});

it('counts logins of operators, and of those who are none', async () => {
  await logIn(operator, service.send);
  const stranger = createOperatorKey('ecdsa');
  await service.send(`/auth/challenge?commitment=${stranger.commitment}`);
  await service.send('/auth/verify', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ commitment: stranger.commitment, signature: '0x00' }),
  });
  for (const what of ['challenges', 'verifications']) {
    const name = `guardian_operator_auth_${what}_total`;
    expect(await count(name, { outcome: 'success' }), name).toBe(1);
    expect(await count(name, { outcome: 'denied' }), name).toBe(1);
  }
  expect(await count('guardian_operator_sessions_started_total')).toBe(1);
});

it.each([
  ['operator’s key', `/auth/challenge?commitment=${createOperatorKey('ecdsa').commitment}`],
  ['wallet', `/evm/auth/challenge?address=0x${'5b'.repeat(20)}`],
])('counts tries with one %s that are too many', async (_name, path) => {
  const rejected = { limit_type: 'login', transport: 'http' };
  const before = await count('guardian_rate_limit_rejections_total', rejected);
  const statuses = await Promise.all(
    Array.from({ length: 5 }, async () => (await service.send(path)).status),
  );
  const refused = statuses.filter((status) => status === 429).length;
  expect(refused).toBeGreaterThan(0);
  const after = await count('guardian_rate_limit_rejections_total', rejected);
  expect(after - before).toBe(refused);
});

it('counts what it refuses for being too much', async () => {
  const statuses = await Promise.all(
    Array.from({ length: 30 }, async () => (await service.send('/status')).status),
  );
  const refused = statuses.filter((status) => status === 429).length;
  expect(refused).toBeGreaterThan(0);
  const rejections = 'guardian_rate_limit_rejections_total';
  expect(await count(rejections, { limit_type: 'burst', transport: 'http' })).toBe(refused);
  const answered = { route: '/status', method: 'GET', status: '429' };
  expect(await count('guardian_http_requests_total', answered)).toBe(refused);
});
