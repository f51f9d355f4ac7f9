/** What every answer of the application has, whatever the route. */
import { expect, it } from 'vitest';
import { createApp } from '../../src/entry/app.ts';
import { createLog } from '../../src/observability/log.ts';
import { unobserved, type Metrics } from '../../src/observability/metrics.ts';
import type { Route } from '../../src/http/routes.ts';

const routes: Route[] = [
  { method: 'GET', path: '/secret', handle: (c) => c.json({ of: 'one client' }) },
  {
    method: 'GET',
    path: '/broken',
    handle: () => {
      throw new Error('broken');
    },
  },
];
const open = (metrics: Metrics = unobserved) =>
  createApp({
    routes,
    corsAllowedOrigins: undefined,
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
