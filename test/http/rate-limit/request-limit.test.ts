import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { clientNetwork, type TrustedProxy } from '../../../src/http/client-address.ts';
import { errorHandler, routeNotFound } from '../../../src/http/errors.ts';
import { mountRoutes, type Route } from '../../../src/http/routes.ts';
import { requestLimit, type RequestLimits } from '../../../src/http/rate-limit/request-limit.ts';
import { createLog } from '../../../src/observability/log.ts';

const routes: Route[] = ['/a', '/b', '/items/:id'].map((path) => ({
  method: 'GET',
  path,
  handle: (c) => c.json({ ok: true }),
}));

function service(limits: Partial<RequestLimits> = {}) {
  const app = new Hono();
  mountRoutes(app, [{ method: 'GET', path: '/livez', handle: (c) => c.text('ok') }]);
  app.use(
    requestLimit({
      burstPerSecond: 3,
      perMinute: 100,
      replicas: 1,
      trustedProxy: 'forwarded',
      ...limits,
    }),
  );
  mountRoutes(app, routes);
  app.notFound(routeNotFound);
  app.onError(errorHandler(createLog('silent')));
  return async (path: string, headers: Record<string, string> = {}, env?: object, method = 'GET') =>
    app.request(path, { method, headers: { 'x-forwarded-for': '203.0.113.7', ...headers } }, env);
}

const statuses = async (asked: Promise<Response>[]) =>
  (await Promise.all(asked)).map(({ status }) => status);
const times = (count: number, ask: (n: number) => Promise<Response>) =>
  statuses(Array.from({ length: count }, (_, n) => ask(n)));

describe('request limits', () => {
  it('answer with the envelope and Retry-After', async () => {
    const ask = service();
    expect(await times(3, () => ask('/a'))).toEqual([200, 200, 200]);
    const refused = await ask('/a');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({
      code: 'rate_limit_exceeded',
      meta: { retryable: true, retry_after_secs: 1 },
    });
  });

  it('are bursts for each endpoint, whatever is in its path, and a sum over all', async () => {
    const told: string[] = [];
    const ask = service({ perMinute: 7, onRejected: (limit) => told.push(limit) });
    expect(await times(4, (n) => ask(`/items/${n}`))).toEqual([200, 200, 200, 429]);
    expect(await times(3, () => ask('/a'))).toEqual([200, 200, 200]);
    expect(await times(2, () => ask('/b'))).toEqual([200, 429]);
    expect(told).toEqual(['burst', 'sustained']);
  });

  it('count unknown paths and wrong methods as well', async () => {
    const ask = service();
    expect(await times(4, (n) => ask(`/absent/${n}`))).toEqual([404, 404, 404, 429]);
  });

  it('give methods that a client invents one burst together', async () => {
    const ask = service();
    const invented = ['ONE', 'TWO', 'THREE', 'FOUR'];
    expect(await times(4, (n) => ask('/a', {}, undefined, invented[n]))).toEqual([
      405, 405, 405, 429,
    ]);
  });

  it('leave the health of the machine alone', async () => {
    const ask = service();
    expect(await times(20, () => ask('/livez'))).toEqual(Array(20).fill(200));
  });

  it('are for each client and, from one address, for each account too', async () => {
    const ask = service({ burstPerSecond: 3 });
    await times(3, () => ask('/a?account_id=0x1'));
    expect((await ask('/a?account_id=0x2')).status).toBe(429);
    expect((await ask('/a', { 'x-forwarded-for': '203.0.113.8' })).status).toBe(200);
  });

  it.each<[TrustedProxy, Record<string, string>, Record<string, string>, number]>([
    // the last entry is the proxy's; what stands before it is the client's own claim
    [
      'forwarded',
      { 'x-forwarded-for': '1.1.1.1, 203.0.113.7' },
      { 'x-forwarded-for': '2.2.2.2, 203.0.113.7' },
      429,
    ],
    ['forwarded', { 'x-forwarded-for': '203.0.113.7' }, { 'x-forwarded-for': '203.0.113.8' }, 200],
    ['fly', { 'fly-client-ip': '203.0.113.7' }, { 'fly-client-ip': '203.0.113.8' }, 200],
    ['fly', { 'x-forwarded-for': '203.0.113.7' }, { 'x-forwarded-for': '203.0.113.8' }, 429],
    ['none', { 'x-forwarded-for': '203.0.113.7' }, { 'x-forwarded-for': '203.0.113.8' }, 429],
    ['none', { 'fly-client-ip': '203.0.113.7' }, { 'fly-client-ip': '203.0.113.8' }, 429],
  ])('trust %s: after %o, %o is answered %i', async (trustedProxy, first, second, status) => {
    const ask = service({ trustedProxy });
    const socket = { incoming: { socket: { remoteAddress: '::ffff:192.0.2.1' } } };
    await times(3, () => ask('/a', first, socket));
    expect((await ask('/a', second, socket)).status).toBe(status);
  });

  it('tell sockets apart on Node and on Deno', async () => {
    const ask = service({ trustedProxy: 'none' });
    const node = (address: string) => ({ incoming: { socket: { remoteAddress: address } } });
    const deno = (address: string) => ({ remoteAddr: { hostname: address } });
    await times(3, () => ask('/a', {}, node('192.0.2.1')));
    expect((await ask('/a', {}, deno('192.0.2.1'))).status).toBe(429);
    expect((await ask('/a', {}, deno('192.0.2.2'))).status).toBe(200);
  });
});

describe('one client', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
  ])('%s is %s', (address, network) => {
    expect(clientNetwork(address)).toBe(network);
  });
});
