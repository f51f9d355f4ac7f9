/** The client for our own routes, against a server on a socket. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CanonryError, openClient } from '../../src/client/client.ts';
import { createApp } from '../../src/entry/app.ts';
import { listen, type Listening } from '../../src/entry/listen.ts';
import type { Readiness } from '../../src/http/health.ts';
import { createLog } from '../../src/observability/log.ts';
import { operations } from '../http/contract/judge.ts';

let readiness: Readiness = { ready: true };
let server: Listening;
beforeAll(async () => {
  const app = createApp({
    routes: [],
    corsAllowedOrigins: undefined,
    checkReadiness: async () => readiness,
    log: createLog('silent', {}),
  });
  server = await listen(app, '127.0.0.1', 0);
});
afterAll(() => server.close());

describe('the client', () => {
  it('asks for health, and why the service is not ready', async () => {
    const client = openClient(server.url);
    expect(await client.health()).toEqual({ status: 'ok' });
    expect(await client.readiness()).toEqual({ status: 'ready' });
    readiness = { ready: false, reason: 'the database is not reachable' };
    const answer = await client.readiness();
    expect(answer).toEqual({ status: 'not ready', reason: 'the database is not reachable' });
    readiness = { ready: true };
  });

  it('reads the contract, whose paths are those that the service has', async () => {
    const { info, paths } = await openClient(server.url).contract();
    expect(info.version).toMatch(/^\d+\.\d+\.\d+$/);
    const described = new Set([...operations.keys()].map((name) => name.split(' ')[1]));
    expect(Object.keys(paths).toSorted()).toEqual([...described].toSorted());
  });

  it('gives a refusal with its code, and says when the answer is not the service’s', async () => {
    readiness = undefined as never; // the check itself breaks: a fault of ours
    const refused = openClient(server.url).readiness();
    await expect(refused).rejects.toThrow(CanonryError);
    await expect(refused).rejects.toMatchObject({
      status: 500,
      code: 'storage_error',
      retryable: true,
    });
    readiness = { ready: true };
    const other = createServer((_request, response) => response.end('<html>')).listen(0);
    const { port } = other.address() as { port: number };
    const foreign = openClient(`http://127.0.0.1:${port}`).health();
    await expect(foreign).rejects.toMatchObject({ status: 200, code: undefined });
    other.close();
  });
});
