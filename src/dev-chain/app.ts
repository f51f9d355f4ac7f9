/**
 * A development chain: answers the one call Canonry makes to a Miden node, and lands whatever
 * commitment it is told to. It proves nothing and checks nothing; it is for development, demos,
 * tests and benchmarks.
 */
import { setTimeout as delay } from 'node:timers/promises';

import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as v from 'valibot';

import {
  decodeAccountRequest,
  encodeAccountResponse,
  GET_ACCOUNT_PATH,
} from '../guardian/networks/miden/rpc/account-messages.ts';
import {
  GRPC_WEB_CONTENT_TYPE,
  readUnaryBody,
  unaryResponse,
} from '../guardian/networks/miden/rpc/grpc-web.ts';
import { WireFormatError } from '../guardian/networks/miden/rpc/protobuf.ts';
import { devChainLimits } from '../limits.ts';
import { DevChainFullError, type DevChainLedger } from './ledger.ts';
import { accountIdSchema, landingSchema } from './schema.ts';

const GRPC_OK = 0;
const GRPC_INVALID_ARGUMENT = 3;

/** @param latencyMs delay before every answer of the RPC call, to stand in for a remote node. */
export function devChainApp(ledger: DevChainLedger, latencyMs: number): Hono {
  const app = new Hono();
  app.use(
    bodyLimit({
      maxSize: devChainLimits.requestBytes,
      onError: (c) => c.json({ error: 'the body is too large' }, 413),
    }),
  );

  app.get('/', (c) =>
    c.json({
      name: 'Canonry development chain',
      warning: 'This is NOT a Miden node: it lands any commitment without proof.',
      rpc: `POST ${GET_ACCOUNT_PATH}`,
      land: 'PUT /accounts/{account_id} {"commitment":"0x…"}',
    }),
  );

  app.post(GET_ACCOUNT_PATH, async (c) => {
    if (latencyMs > 0) await delay(latencyMs);
    const body = answer(ledger, new Uint8Array(await c.req.arrayBuffer()));
    return c.body(body, 200, { 'content-type': GRPC_WEB_CONTENT_TYPE });
  });

  app.get('/accounts/:accountId', (c) => {
    const id = v.safeParse(accountIdSchema, c.req.param('accountId'));
    if (!id.success) return c.json({ error: id.issues[0].message }, 400);
    return c.json({ account_id: id.output, commitment: ledger.commitmentOf(id.output) });
  });

  app.put('/accounts/:accountId', async (c) => {
    const id = v.safeParse(accountIdSchema, c.req.param('accountId'));
    if (!id.success) return c.json({ error: id.issues[0].message }, 400);
    const landing = v.safeParse(landingSchema, await c.req.json().catch(() => null));
    if (!landing.success) return c.json({ error: landing.issues[0].message }, 400);
    await ledger.land(id.output, landing.output.commitment);
    return c.json({ account_id: id.output, commitment: landing.output.commitment });
  });

  app.onError((error, c) => {
    if (error instanceof DevChainFullError) return c.json({ error: error.message }, 507);
    console.error('development chain:', error);
    return c.json({ error: 'the state could not be stored' }, 500);
  });
  return app;
}

function answer(ledger: DevChainLedger, body: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    const { message } = readUnaryBody(body);
    if (message === null) throw new WireFormatError('there is no message');
    const accountId = decodeAccountRequest(message);
    const response = encodeAccountResponse(accountId, ledger.commitmentOf(accountId));
    return unaryResponse(response, GRPC_OK);
  } catch (error) {
    if (!(error instanceof WireFormatError)) throw error;
    return unaryResponse(null, GRPC_INVALID_ARGUMENT);
  }
}
