/** The API under test, in this process or as a Deno process; every answer is looked at. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import postgres from 'postgres';
import { expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Database } from '../../src/database/connect.ts';
import { startDevChain } from '../../src/dev-chain/start.ts';
import { createApi } from '../../src/entry/compose/api.ts';
import { createLog } from '../../src/observability/log.ts';
import type { Metrics } from '../../src/observability/metrics.ts';
import { createDatabase, openEmbeddedCopy } from '../support/databases.ts';
import { startDeno } from '../support/process.ts';
import { systemEnvironment } from '../support/system.ts';
import { operationOf, violation } from './contract/judge.ts';
import type { Send } from './signed.ts';

export interface Service {
  send: Send;
  /** Sets what no route can set yet, such as a pause. */
  execute(statement: string): Promise<unknown>;
  /** The chain shows this commitment from now on. */
  land(accountId: string, commitment: string): Promise<void>;
  /** What the process wrote; the in-process API writes nothing. */
  output(): string;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  type: string | null;
  body: Record<string, unknown>;
  headers: Headers;
}

/**
 * Sends and parses. Whatever the case, an error must be the envelope and no 5xx, and the answer one
 * that docs/openapi.json tells of.
 */
export async function exchange(
  service: Pick<Service, 'send'>,
  { path: target, init }: { path: string; init?: RequestInit },
): Promise<Answer> {
  const response = await service.send(target, init);
  const body = JSON.parse(await response.text()) as Record<string, unknown>;
  const type = response.headers.get('content-type');
  expect(response.status, JSON.stringify(body)).toBeLessThan(500);
  expect(type).toMatch(/^application\/json/);
  if (response.status >= 400) expectEnvelope(body);
  const operation = operationOf(init?.method ?? 'GET', target);
  if (operation !== undefined) {
    expect(violation(operation, response.status, body)).toBeUndefined();
  }
  return { status: response.status, type, body, headers: response.headers };
}

export function expectEnvelope(body: Record<string, unknown>): void {
  expect(body).toEqual({
    code: expect.stringMatching(/^[A-Za-z_]+$/) as string,
    message: expect.stringMatching(/^[^\n]{1,300}$/) as string,
    meta: expect.objectContaining({ retryable: expect.any(Boolean) as boolean }) as object,
  });
}

/** Expects a refusal with this status and code. */
export async function expectRefusal(
  service: Pick<Service, 'send'>,
  request: { path: string; init?: RequestInit },
  status: number,
  code: string,
): Promise<Answer> {
  const answer = await exchange(service, request);
  expect(
    { status: answer.status, code: answer.body['code'] },
    String(answer.body['message']),
  ).toEqual({ status, code });
  return answer;
}

/** The Hono application of this process on an embedded database, or on the given one. */
export async function openInProcess(
  extra: Record<string, string> = {},
  given?: Database,
  metrics?: Metrics,
): Promise<Service> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-http-'));
  const database = given ?? (await openEmbeddedCopy());
  const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  const config = loadConfig({
    ...systemEnvironment(folder, chain),
    CANONRY_COMPUTE_THREADS: '1',
    ...extra,
  });
  const api = await createApi(config, database, createLog('silent', {}), metrics);
  return {
    send: async (target, init) => api.app.request(target, init),
    execute: (statement) => database.sql.unsafe(statement),
    land: (accountId, commitment) => chain.land(accountId, commitment),
    output: () => '',
    async close() {
      await api.close();
      await chain.close();
      if (!given) await database.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `src/entry/api.deno.ts` as a process, on Postgres. */
export async function openDeno(extra: Record<string, string> = {}): Promise<Service> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-http-'));
  const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  const created = await createDatabase();
  const sql = postgres(created.url, { max: 1 });
  const api = startDeno('src/entry/api.deno.ts', {
    env: {
      ...systemEnvironment(folder, chain),
      DATABASE_URL: created.url,
      LOG_LEVEL: 'debug',
      ...extra,
    },
  });
  const [, url = ''] = await api.says(/ready at (http:\/\/[^\s]+)/);
  return {
    send: (target, init) => fetch(url + target, init),
    execute: (statement) => sql.unsafe(statement),
    land: (accountId, commitment) => chain.land(accountId, commitment),
    output: () => api.output(),
    async close() {
      api.child.kill('SIGTERM');
      await api.exit;
      await sql.end();
      await created.drop();
      await chain.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
