import type { Context } from 'hono';
import type * as v from 'valibot';
import type { Cursors } from '../../http/cursor.ts';
import type { Route } from '../../http/routes.ts';
import { configureAccount } from '../accounts/configure.ts';
import { readState } from '../accounts/read-state.ts';
import type { GuardianContext } from '../context.ts';
import { readDelta } from '../deltas/read.ts';
import { submitDelta } from '../deltas/submit.ts';
import { abandonDelta } from '../deltas/abandon.ts';
import { deltaObject } from '../deltas/wire.ts';
import { lookUpAccounts } from '../accounts/lookup.ts';
import { historyRoutes } from './history-routes.ts';
import { proposalRoutes } from './proposal-routes.ts';
import { withFaults } from './faults.ts';
import {
  exactJson,
  parseKeyCommitment,
  readHeaders,
  readNonce,
  readSignedBody,
  readSignedQuery,
} from './requests.ts';
import type { pubkeyAnswer, statusAnswer } from './wire.ts';

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
  options: { maxRequestBytes: number; cursors: Cursors },
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
        const { body, request } = await readSignedBody(c, options.maxRequestBytes);
        return c.json(await configureAccount(context, body, request));
      },
    },
    {
      method: 'POST',
      path: '/delta',
      handle: async (c) => {
        const { body, request } = await readSignedBody(c, options.maxRequestBytes);
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
      method: 'POST',
      path: '/delta/candidate/abandon',
      handle: async (c) => {
        const { body, request } = await readSignedBody(c, options.maxRequestBytes);
        return exactJson(c, await abandonDelta(context, body, request), 202);
      },
    },
    {
      method: 'GET',
      path: '/state/lookup',
      handle: async (c) => {
        const key = parseKeyCommitment(c.req.query('key_commitment'));
        return c.json(await lookUpAccounts(context, key, readHeaders(c)));
      },
    },
    {
      method: 'GET',
      path: '/state',
      handle: async (c) => c.json(await readState(context, readSignedQuery(c, {}))),
    },
  ];
  return [
    ...routes,
    ...proposalRoutes(context, options),
    ...historyRoutes(context, options.cursors),
  ].map(withFaults);
}

/** C1, C2: liveness only; never touches the database. */
function describeService(identity: ServiceIdentity): v.InferOutput<typeof statusAnswer> {
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
function publicKey(context: GuardianContext, c: Context): v.InferOutput<typeof pubkeyAnswer> {
  const scheme = c.req.query('scheme') === 'ecdsa' ? 'ecdsa' : 'falcon';
  const commitment = context.acknowledgement.commitment(scheme);
  return scheme === 'ecdsa'
    ? { commitment, pubkey: context.acknowledgement.publicKey(scheme) }
    : { commitment };
}
