/** Metrics of real processes, after ordinary traffic and after traffic that wants to be a label. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevChain, type DevChain } from '../../src/dev-chain/start.ts';
import openapi from '../../docs/openapi.json' with { type: 'json' };
import { openHolder, type Holder } from '../http/signed.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { createLogins } from '../support/roles.ts';
import { systemEnvironment } from '../support/environment.ts';
import { startDeno, startNode, type RunningProcess } from '../support/spawn.ts';
import { allowedKeys, readSamples, total, type Sample } from './exposition.ts';

const token = 'scrape-with-this-5d1f';
const secret = 'swordfish0123456789';
const routes = new Set(Object.keys(openapi.paths).map((p) => p.replaceAll(/\{(\w+)\}/g, ':$1')));

/** The permissions of `deno task api`, but for where the test keeps its files. */
const denoPermissions = ['--allow-net', '--allow-env', '--allow-sys=hostname', '--allow-read'];

let folder: string;
let chain: DevChain;
let database: TestDatabase;
let env: Record<string, string>;
const processes: RunningProcess[] = [];

interface Observed {
  process: RunningProcess;
  url: string;
  metricsUrl: string;
}

async function observed(running: RunningProcess, ready: RegExp): Promise<Observed> {
  processes.push(running);
  const [, metricsUrl = ''] = await running.says(/"url":"([^"]+)","msg":"metrics"/);
  const [, url = ''] = await running.says(ready);
  return { process: running, url, metricsUrl };
}

async function scrape({ metricsUrl }: Observed): Promise<{ text: string; samples: Sample[] }> {
  const response = await fetch(metricsUrl, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  const text = await response.text();
  return { text, samples: readSamples(text) };
}

/** Scrapes until the figure is there. */
async function eventually(target: Observed, name: string, labels: Record<string, string> = {}) {
  for (let i = 0; i < 100; i += 1) {
    const { samples } = await scrape(target);
    if (total(samples, name, labels) > 0) return samples;
    await sleep(100);
  }
  throw new Error(`${name} stays zero: ${target.process.output()}`);
}

async function provoke(url: string, holder: Holder): Promise<void> {
  const hidden = { 'x-pubkey': secret, authorization: `Bearer ${secret}`, cookie: `a=${secret}` };
  for (const hostile of [
    `/${secret}`,
    `/delta/${secret}/${holder.accountId}`,
    `/dashboard/accounts/${holder.accountId}`,
    `/dashboard/accounts/${secret}/deltas/7`,
    `/state?account_id=${holder.accountId}&token=${secret}`,
    `/auth/challenge?commitment=${secret}`,
    `/%0A${secret}%22%7D`,
  ]) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      await (await fetch(url + hostile, { method, headers: hidden })).text();
    }
  }
}

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-metrics-'));
  chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  database = await createDatabase();
  env = {
    ...systemEnvironment(folder, chain),
    DATABASE_URL: database.url,
    LOG_LEVEL: 'info',
    GUARDIAN_METRICS_ENABLED: 'true',
    GUARDIAN_METRICS_ADDR: '127.0.0.1:0',
    GUARDIAN_METRICS_REFRESH_INTERVAL_SECS: '1',
    GUARDIAN_METRICS_BEARER_TOKEN: token,
  };
});

afterAll(async () => {
  for (const { child } of processes) child.kill('SIGTERM');
  const exits = await Promise.all(processes.map(({ exit }) => exit));
  await chain.close();
  await database.drop();
  fs.rmSync(folder, { recursive: true, force: true });
  expect(exits).toEqual(processes.map(() => 0));
});

describe.each(['node', 'deno'] as const)('an API on %s', (runtime) => {
  it('counts by route and tells nothing that a client has sent', async () => {
    const permissions = [...denoPermissions, `--allow-write=${folder}`];
    const api = await observed(
      runtime === 'node'
        ? startNode('src/entry/api.ts', { env })
        : startDeno('src/entry/api.deno.ts', { env, permissions }),
      /api ready at (http:\/\/[^\s]+)/,
    );
    const send = (target: string, init?: RequestInit) => fetch(api.url + target, init);
    const holder = await openHolder(send);
    const { path: target, init } = holder.post('/delta', holder.deltaBody(1));
    expect((await send(target, init)).status).toBe(200);
    await provoke(api.url, holder);

    const samples = await eventually(api, 'guardian_deltas', { status: 'candidate' });
    const { text } = await scrape(api);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(holder.accountId.slice(2, 20));
    expect(text).not.toContain(token);
    const keys = new Set(samples.flatMap(({ labels }) => Object.keys(labels)));
    expect(allowedKeys).toEqual(expect.arrayContaining([...keys]));
    const seen = new Set(samples.flatMap(({ labels }) => labels['route'] ?? []));
    expect([...seen].filter((route) => !routes.has(route))).toEqual(['unknown']);
    const methods = new Set(samples.flatMap(({ labels }) => labels['method'] ?? []));
    expect([...methods].toSorted()).toEqual(['DELETE', 'GET', 'OPTIONS', 'POST', 'other']);

    const requests = { route: '/delta', method: 'POST', status: '200' };
    expect(total(samples, 'guardian_http_requests_total', requests)).toBe(1);
    expect(total(samples, 'guardian_deltas_submitted_total', { kind: 'direct' })).toBe(1);
    expect(total(samples, 'guardian_accounts_created_total', { kind: 'miden' })).toBe(1);
    expect(total(samples, 'guardian_http_requests_in_flight')).toBe(0);
    expect(total(samples, 'guardian_build_info')).toBe(1);
    // what Node says of itself is Node's
    expect(total(samples, 'process_resident_memory_bytes') > 0).toBe(runtime === 'node');

    expect((await fetch(api.metricsUrl)).status).toBe(401);
    expect((await fetch(api.url + new URL(api.metricsUrl).pathname)).status).toBe(404);
    // nor does the log
    expect(api.process.output()).not.toContain(secret);
    expect(api.process.output()).not.toContain(token);
  });
});

it('a worker counts what it resolves, its looks at the chain, and its pool', async () => {
  const api = await observed(startNode('src/entry/api.ts', { env }), /ready at (http:\/\/[^\s]+)/);
  const send = (target: string, init?: RequestInit) => fetch(api.url + target, init);
  const holder = await openHolder(send);
  const { path: target, init } = holder.post('/delta', holder.deltaBody(1));
  const delta = (await (await send(target, init)).json()) as { new_commitment: string };
  await chain.land(holder.accountId, delta.new_commitment);
  const worker = await observed(startNode('src/entry/worker.ts', { env }), /worker ready/);
  const candidates = 'guardian_canonicalization_candidates_total';
  const samples = await eventually(worker, candidates, { outcome: 'canonicalized' });
  expect(total(samples, candidates, { outcome: 'canonicalized' })).toBe(1);
  expect(
    total(samples, 'guardian_miden_rpc_requests_total', { outcome: 'success' }),
  ).toBeGreaterThan(0);
  expect(total(samples, 'canonry_group_size_count', { operation: 'promote' })).toBe(1);
  expect(total(samples, 'guardian_db_pool_connections', { pool: 'jobs' })).toBeGreaterThan(0);
  expect(total(samples, 'canonry_lines_woken_by_sweep_total')).toBe(0);
  expect(worker.process.output()).not.toContain(token);
});

it('a worker with the rights of its role counts what is stored', async () => {
  const created = await createDatabase();
  const logins = await createLogins(created.url);
  const worker = await observed(
    startNode('src/entry/worker.ts', { env: { ...env, DATABASE_URL: logins.url.worker } }),
    /worker ready/,
  );
  const samples = await eventually(worker, 'guardian_metrics_refresh_timestamp_seconds');
  expect(total(samples, 'guardian_metrics_refresh_failures_total')).toBe(0);
  worker.process.child.kill('SIGTERM');
  expect(await worker.process.exit).toBe(0);
  await created.drop();
  await logins.drop();
});
