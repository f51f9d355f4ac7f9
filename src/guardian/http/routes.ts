import type { Context } from 'hono';
import type { Route } from '../../http/routes.ts';
import { configureAccount } from '../accounts/configure.ts';
import { readState } from '../accounts/read-state.ts';
import { canonicalJson, type JsonValue } from '../authentication/canonical-json.ts';
import type { GuardianContext } from '../context.ts';
import { readDelta } from '../deltas/read.ts';
import { submitDelta } from '../deltas/submit.ts';
import { deltaObject } from '../deltas/wire.ts';
import { withFaults } from './faults.ts';
import { readNonce, readSignedBody, readSignedQuery } from './requests.ts';

/** What the status route tells about this process. */
export interface ServiceIdentity {
  version: string;
  gitCommit: string;
  environment: 'local' | 'devnet' | 'testnet';
  startedAt: Date;
}

/** The client API of Guardian (protocol §1.1, C1 to C15). */
export function guardianRoutes(
  context: GuardianContext,
  identity: ServiceIdentity,
  limits: { maxRequestBytes: number },
): Route[] {
  const status = (c: Context) => c.json(describeService(identity));
  const routes: Route[] = [
    { method: 'GET', path: '/', handle: status },
    { method: 'GET', path: '/status', handle: status },
    { method: 'GET', path: '/pubkey', handle: (c) => c.json(publicKey(context, c)) },
    {
      method: 'POST',
      path: '/configure',
      handle: async (c) => {
        const { body, request } = await readSignedBody(c, limits.maxRequestBytes);
        return c.json(await configureAccount(context, body, request));
      },
    },
    {
      method: 'POST',
      path: '/delta',
      handle: async (c) => {
        const { body, request } = await readSignedBody(c, limits.maxRequestBytes);
        return exactJson(c, deltaObject(await submitDelta(context, body, request)));
      },
    },
    {
      method: 'GET',
      path: '/delta',
      handle: async (c) => {
        const nonce = readNonce(c);
        const delta = await readDelta(context, readSignedQuery(c, { nonce }), nonce);
        return exactJson(c, deltaObject(delta));
      },
    },
    {
      method: 'GET',
      path: '/state',
      handle: async (c) => c.json(await readState(context, readSignedQuery(c, {}))),
    },
  ];
  return routes.map(withFaults);
}

/** C1, C2: liveness only; never touches the database. */
function describeService(identity: ServiceIdentity): Record<string, string | number> {
  return {
    status: 'ok',
    version: identity.version,
    git_commit: identity.gitCommit,
    environment: identity.environment,
    started_at: identity.startedAt.toISOString(),
    uptime_seconds: Math.floor((Date.now() - identity.startedAt.getTime()) / 1_000),
  };
}

/** C4: every unknown scheme means falcon; only ECDSA keys are shown whole. */
function publicKey(context: GuardianContext, c: Context): { commitment: string; pubkey?: string } {
  const scheme = c.req.query('scheme') === 'ecdsa' ? 'ecdsa' : 'falcon';
  const commitment = context.acknowledgement.commitment(scheme);
  return scheme === 'ecdsa'
    ? { commitment, pubkey: context.acknowledgement.publicKey(scheme) }
    : { commitment };
}

/** Integers keep all their digits: `nonce` has 64 bits, and payloads come back as they were. */
function exactJson(c: Context, value: JsonValue): Response {
  return c.body(canonicalJson(value), 200, { 'content-type': 'application/json' });
}
