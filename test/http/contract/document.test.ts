/** The document is valid OpenAPI, checked in as it is served, and names exactly what is mounted. */
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { apiDocument } from '../../../src/entry/api-document.ts';
import { createApp } from '../../../src/entry/app.ts';
import { errorTable } from '../../../src/errors.ts';
import { evmRoutes } from '../../../src/guardian/evm/routes.ts';
import { guardianRoutes } from '../../../src/guardian/http/routes.ts';
import { operatorRoutes } from '../../../src/guardian/operators/routes.ts';
import { createCursors } from '../../../src/http/cursor.ts';
import { createLog } from '../../../src/observability/log.ts';
import { contract, operations, violation } from './judge.ts';

/** Every route there is; none of them is called. */
function openApp(): Hono {
  const unused = {} as never;
  const options = { maxRequestBytes: 1, cursors: createCursors(new Uint8Array(32)) };
  return createApp({
    routes: [
      ...guardianRoutes(unused, unused, options),
      ...operatorRoutes(unused),
      ...evmRoutes(unused),
    ],
    corsAllowedOrigins: undefined,
    checkReadiness: async () => ({ ready: true }),
    log: createLog('silent', {}),
  });
}

describe('the document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate({ ...contract });
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(contract.openapi).toMatch(/^3\.1\./);
  });

  it('is checked in as it is served', async () => {
    const app = openApp();
    const [first, second] = [
      await app.request('/api-docs/openapi.json'),
      await app.request('/api-docs/openapi.json'),
    ];
    expect(await first.json()).toEqual(contract);
    expect(await second.json()).toEqual(contract);
    expect(first.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(JSON.stringify(apiDocument()))).toEqual(contract);
  });

  it('describes every mounted route, and no other', () => {
    const mounted = openApp()
      .routes.filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(mounted.length).toBeGreaterThan(25);
    expect([...operations.keys()].toSorted()).toEqual([...new Set(mounted)].toSorted());
  });

  it('names every operation once, and asks signed ones for three headers', () => {
    const ids = [...operations.values()].map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const [signed] = operations.get('POST /delta')?.security ?? [];
    const names = Object.keys(signed ?? {}).map(
      (name) => contract.components.securitySchemes[name],
    );
    expect(names).toMatchObject(
      ['x-pubkey', 'x-signature', 'x-timestamp'].map((name) => ({ in: 'header', name })),
    );
  });

  it('has only codes of the table, and Retry-After where a code brings it', () => {
    const codes = new Set(errorTable().map(({ code }) => code));
    const used = JSON.stringify(contract.paths).matchAll(/`([A-Za-z_]+)`: /g);
    for (const [, code] of used) expect(codes).toContain(code);
    expect(operations.get('POST /delta')?.responses['409']?.headers).toHaveProperty('Retry-After');
    expect(operations.get('POST /delta')?.responses['503']?.headers).toHaveProperty('Retry-After');
  });
});

describe('the judge', () => {
  const envelope = { code: 'delta_not_found', message: 'm', meta: { retryable: false } };

  it.each<[string, number, unknown]>([
    ['an unknown status', 418, {}],
    ['a code of another status', 400, envelope],
    ['an answer without its members', 200, { account_id: 'x' }],
  ])('finds %s', (_name, status, body) => {
    expect(violation('GET /delta', status, body)).toBeTypeOf('string');
  });

  it('finds a member that the document does not name', () => {
    expect(violation('GET /healthz', 200, { status: 'ok' })).toBeUndefined();
    expect(violation('GET /healthz', 200, { status: 'ok', more: 1 })).toMatch(/additional/);
    expect(violation('GET /delta', 404, envelope)).toBeUndefined();
    expect(violation('GET /delta', 404, { ...envelope, stack: 's' })).toMatch(/additional/);
  });
});

describe('the reference page', () => {
  it('needs nothing from anywhere else', async () => {
    const app = openApp();
    const page = await app.request('/api-docs');
    const html = await page.text();
    const references = [...html.matchAll(/(?:src|href|spec-url)="([^"]*)"/g)].map(([, at]) => at);
    expect(references).toEqual(['data:,', '/api-docs/explorer.js', '/api-docs/openapi.json']);
    const policy = (page.headers.get('content-security-policy') ?? '').split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    // neither another host nor evaluated text
    expect(policy.join('; ')).not.toMatch(/https?:|\*|unsafe-eval|script-src [^;]*unsafe/);
    const script = await app.request('/api-docs/explorer.js');
    expect(script.headers.get('content-type')).toMatch(/^text\/javascript/);
    expect(await script.text()).toMatch(/openapi-explorer/);
  });
});
