/** What can become a label, and who may read it. */
import { expect, it } from 'vitest';
import { metricsApp } from '../../src/http/metrics.ts';
import { metricTable } from '../../src/observability/metric-table.ts';
import { openPrometheus } from '../../src/observability/prometheus.ts';
import { allowedKeys, readSamples, total } from './exposition.ts';

it('defines metrics under known prefixes, with allowed label keys only', () => {
  for (const [name, { type, labels }] of Object.entries(metricTable)) {
    expect(name).toMatch(/^(guardian|canonry)_[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    expect(allowedKeys, name).toEqual(expect.arrayContaining(Object.keys(labels)));
  }
});

it('writes a value that the table does not know as "other"', async () => {
  const { metrics, text } = openPrometheus();
  for (const hostile of ['/0xdeadbeef?key=secret', 'a"b\nc', `/${'x'.repeat(500)}`, '']) {
    const labels = { method: hostile, route: hostile, status: hostile };
    metrics.count('guardian_http_requests_total', labels);
  }
  const samples = readSamples(await text());
  const counted = samples.filter(({ name }) => name === 'guardian_http_requests_total');
  expect(counted).toEqual([
    {
      name: 'guardian_http_requests_total',
      labels: { method: 'other', route: 'other', status: 'other' },
      value: 4,
    },
  ]);
});

it('adds of Node’s own metrics those with allowed label keys', async () => {
  const samples = readSamples(await openPrometheus().text());
  const keys = new Set(samples.flatMap(({ labels }) => Object.keys(labels)));
  expect(allowedKeys).toEqual(expect.arrayContaining([...keys]));
  expect(total(samples, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
});

it('shows counters without labels from the start, so that a rise from zero is one', async () => {
  const samples = readSamples(await openPrometheus().text());
  expect(samples).toContainEqual({
    name: 'canonry_lines_woken_by_sweep_total',
    labels: {},
    value: 0,
  });
});

it('answers whoever sends the token, on one path', async () => {
  const app = metricsApp(openPrometheus(), { path: '/figures', bearerToken: 'correct horse' });
  const ask = async (path: string, authorization?: string) =>
    (await app.request(path, authorization ? { headers: { authorization } } : {})).status;
  expect(await ask('/figures', 'Bearer correct horse')).toBe(200);
  expect(await ask('/figures', 'bearer correct horse')).toBe(200);
  for (const wrong of [
    undefined,
    'Bearer',
    'Bearer correct hors',
    'Basic correct horse',
    'Bearer correct horse battery',
  ]) {
    expect(await ask('/figures', wrong), wrong).toBe(401);
  }
  expect(await ask('/metrics', 'Bearer correct horse')).toBe(404);
});

it('asks for no token where none is configured', async () => {
  const app = metricsApp(openPrometheus(), { path: '/metrics', bearerToken: undefined });
  const response = await app.request('/metrics');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
});
