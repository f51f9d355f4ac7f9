/** What every answer of the application has, whatever the route. */
import { expect, it } from 'vitest';
import { createApp } from '../../src/entry/app.ts';
import { createLog } from '../../src/observability/log.ts';
import { unobserved, type Metrics } from '../../src/observability/metrics.ts';
import type { Route } from '../../src/http/routes.ts';

const routes: Route[] = [
  { method: 'GET', path: '/secret', handle: (c) => c.json({ of: 'one client' }) },
  { method: 'POST', path: '/change', handle: (c) => c.json({ changed: true }) },
  {
    method: 'GET',
    path: '/broken',
    handle: () => {
      throw new Error('broken');
    },
  },
];
const open = (metrics: Metrics = unobserved, corsAllowedOrigins?: string[]) =>
  createApp({
    routes,
    corsAllowedOrigins,
    checkReadiness: () => Promise.resolve({ ready: true }),
    log: createLog('silent'),
    metrics,
  });

it.each(['/secret', '/broken', '/nowhere', '/healthz', '/api-docs'])(
  'no cache keeps the answer of %s, and no browser guesses its type',
  async (path) => {
    const { headers } = await open().request(path);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  },
);

it('the script of the reference page, which is the same for everybody, may be kept', async () => {
  const { headers } = await open().request('/api-docs/explorer.js');
  expect(headers.get('cache-control')).toBe('public, max-age=86400');
});

it('methods that a client invents are one label together', async () => {
  const methods = new Set<unknown>();
  const app = open({
    ...unobserved,
    count: (_name, labels) => methods.add((labels as { method?: string }).method),
  });
  for (const method of ['GET', 'FOO1', 'FOO2', 'get1']) await app.request('/secret', { method });
  expect([...methods]).toEqual(['GET', 'other']);
});

const wallet = 'https://wallet.example';
it.each([
  [
    'a neighbouring subdomain',
    { 'sec-fetch-site': 'same-site', origin: 'https://evil.example' },
    401,
  ],
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'null' }, 401],
  ['an origin that is allowed', { 'sec-fetch-site': 'same-site', origin: wallet }, 200],
  ['a page of its own', { 'sec-fetch-site': 'same-origin', origin: 'http://localhost' }, 200],
  ['the address bar', { 'sec-fetch-site': 'none' }, 200],
  ['a client that is no browser', {}, 200],
])('a session changes something for %s or not', async (_who, headers: HeadersInit, status) => {
  const app = open(unobserved, [wallet]);
  const send = (more: HeadersInit) =>
    app.request('/change', { method: 'POST', headers: { ...headers, ...more } as HeadersInit });
  expect((await send({ cookie: 'guardian_operator_session=x' })).status).toBe(status);
  // who signs every request needs no session
  expect((await send({})).status).toBe(200);
});

it('without a list of origins, no other origin has a session', async () => {
  const headers = { 'sec-fetch-site': 'same-site', origin: wallet, cookie: 'a=b' };
  expect((await open().request('/change', { method: 'POST', headers })).status).toBe(401);
});
