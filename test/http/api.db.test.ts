/** The API over HTTP, in this process, on the embedded database. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { createDatabase } from '../support/databases.ts';
import { configureCases, conflictCases, identifierCases, takeOver } from './cases/accounts.ts';
import { headerCases, lookupCases, replayCases } from './cases/authentication.ts';
import { gateCases } from './cases/gates.ts';
import { exactPayloadCases, hostileConfigureCases, hostileDeltaCases } from './cases/hostile.ts';
import { bodyCases, deepJsonCases, routeCases } from './cases/transport.ts';
import { expectEnvelope, openInProcess, type Service } from './service.ts';
import { createHolder, openHolder } from './signed.ts';

let opened: Service;
beforeAll(async () => {
  opened = await openInProcess();
});
afterAll(() => opened.close());
const service = () => opened;

describe('routes', () => routeCases(service));
describe('bodies', () => bodyCases(service));
describe('deep JSON', () => deepJsonCases(service));
describe('signature headers', () => headerCases(service));
describe('look-ups', () => lookupCases(service));
describe('configuring', () => configureCases(service));
describe('conflicts', () => conflictCases(service));
describe('identifiers', () => identifierCases(service));
describe('replay', () => replayCases(service));
describe('paused and released accounts', () => gateCases(service));
describe('hostile configurations', () => hostileConfigureCases(service));
describe('hostile deltas', () => hostileDeltaCases(service));
describe('payloads', () => exactPayloadCases(service));

describe('cross-origin requests', () => {
  const origin = 'https://wallet.example';
  const preflight = (from: string) => ({
    method: 'OPTIONS',
    headers: {
      origin: from,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-pubkey,x-signature,x-timestamp',
    },
  });

  it('come from anywhere without a list, and never with credentials', async () => {
    const asked = await opened.send('/delta', preflight(origin));
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe('*');
    expect(asked.headers.get('access-control-allow-headers')).toMatch(/x-signature/);
    expect(asked.headers.has('access-control-allow-credentials')).toBe(false);
    const refused = await opened.send('/state', { headers: { origin } });
    expect(refused.status).toBe(400);
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect(refused.headers.get('access-control-expose-headers')).toMatch(/retry-after/i);
  });

  it('come from the listed origins only, with credentials', async () => {
    const listed = await openInProcess({ GUARDIAN_CORS_ALLOWED_ORIGINS: origin });
    onTestFinished(() => listed.close());
    const asked = await listed.send('/delta', preflight(origin));
    expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
    expect(asked.headers.get('access-control-allow-credentials')).toBe('true');
    expect(asked.headers.get('access-control-allow-headers')).toMatch(/x-timestamp/);
    const foreign = await listed.send('/delta', preflight('https://thief.example'));
    expect(foreign.headers.has('access-control-allow-origin')).toBe(false);
  });
});

describe('health', () => {
  const bodyOf = async (response: Response) => [response.status, await response.json()];

  it.each([
    ['the newest migration', "name ~ '^\\d'", /^1 migration/],
    ['one that later ones build on', "name like '0001%'", /not those of this version/],
  ])('is ready with all migrations, and not without %s', async (_name, which, reason) => {
    expect(await bodyOf(await opened.send('/readyz'))).toEqual([200, { status: 'ready' }]);
    await opened.execute(`create table kept as select * from canonry.migrations`);
    await opened.execute(`delete from canonry.migrations
      where name = (select max(name) from canonry.migrations where ${which})`);
    onTestFinished(async () => {
      await opened.execute(
        `insert into canonry.migrations select * from kept on conflict do nothing; drop table kept`,
      );
    });
    const [status, body] = await bodyOf(await opened.send('/readyz'));
    expect([status, body]).toEqual([
      503,
      { status: 'not ready', reason: expect.stringMatching(reason) as string },
    ]);
    expect((await opened.send('/healthz')).status).toBe(200);
  });

  it('is not ready when the database is gone, and says no more than that', async () => {
    const created = await createDatabase();
    const database = await openDatabase({ databaseUrl: created.url });
    const lost = await openInProcess({}, database);
    onTestFinished(async () => {
      await lost.close();
      await database.close();
    });
    expect((await lost.send('/readyz')).status).toBe(200);
    await created.drop();
    expect(await bodyOf(await lost.send('/readyz'))).toEqual([
      503,
      { status: 'not ready', reason: 'the database is not reachable' },
    ]);
    expect((await lost.send('/healthz')).status).toBe(200);
    expect((await lost.send('/status')).status).toBe(200);
    const { path, init } = createHolder(`0x${'11'.repeat(32)}`).get('/state');
    const failed = await lost.send(path, init);
    expect(failed.status).toBe(500);
    const body = (await failed.json()) as Record<string, unknown>;
    expectEnvelope(body);
    expect(body).toMatchObject({
      code: 'storage_error',
      message: 'The request could not be stored.',
    });
  });

  it('answers 502 when a decision needs the chain and no node answers', async () => {
    const alone = await openInProcess({ GUARDIAN_MIDEN_RPC_ENDPOINT: 'http://127.0.0.1:9' });
    onTestFinished(() => alone.close());
    const holder = await openHolder(alone.send);
    const guardian = (await (await alone.send('/pubkey?scheme=ecdsa')).json()) as {
      commitment: string;
    };
    const { path, init } = takeOver(holder, guardian.commitment).request;
    const failed = await alone.send(path, init);
    expect(failed.status).toBe(502);
    const body = (await failed.json()) as Record<string, unknown>;
    expectEnvelope(body);
    expect(body).toMatchObject({ code: 'rpc_unavailable', meta: { retryable: true } });
    expect(JSON.stringify(body)).not.toContain('127.0.0.1');
  });
});
