/** Faults of ours and of the chain, as a client sees them: a code to act on, and no internals. */
import { expect, it } from 'vitest';
import { createApp } from '../../src/entry/app.ts';
import { ServiceError } from '../../src/errors.ts';
import { withFaults } from '../../src/guardian/http/faults.ts';
import {
  ComputeFailedError,
  ComputeOverloadError,
} from '../../src/guardian/networks/miden/compute/errors.ts';
import { FalconSigningError } from '../../src/guardian/networks/miden/falcon/sign.ts';
import { ChainError } from '../../src/guardian/networks/network.ts';
import { createLog } from '../../src/observability/log.ts';
import { expectEnvelope } from './service.ts';

const internal = 'at 10.0.0.7: secret detail';

it.each<[string, Error, number, string, string | null]>([
  ['full threads', new ComputeOverloadError(internal), 503, 'data_unavailable', '1'],
  ['a lost thread', new ComputeFailedError(internal), 503, 'data_unavailable', null],
  ['no signature', new FalconSigningError(internal), 500, 'signing_error', null],
  ['no node', new ChainError(internal), 502, 'rpc_unavailable', null],
  ['anything else', new TypeError(internal), 500, 'storage_error', null],
  ['a refusal', new ServiceError('state_not_found'), 404, 'state_not_found', null],
])('answers %s with its code', async (_name, error, status, code, retryAfter) => {
  const route = {
    method: 'GET' as const,
    path: '/state',
    handle: () => Promise.reject(error),
  };
  const app = createApp({
    routes: [withFaults(route)],
    corsAllowedOrigins: undefined,
    checkReadiness: async () => ({ ready: true }),
    log: createLog('silent', {}),
  });
  const response = await app.request('/state');
  const body = (await response.json()) as Record<string, unknown>;
  expectEnvelope(body);
  expect([response.status, body['code']]).toEqual([status, code]);
  expect(response.headers.get('retry-after')).toBe(retryAfter);
  expect(JSON.stringify(body)).not.toContain('10.0.0.7');
});
