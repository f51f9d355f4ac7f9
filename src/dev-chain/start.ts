/** Starts a development chain on a port of this machine. */
import { once } from 'node:events';
import { createServer } from 'node:http';

import { getRequestListener } from '@hono/node-server';
import * as v from 'valibot';

import { devChainApp } from './app.ts';
import { DevChainLedger } from './ledger.ts';
import { accountIdSchema, commitmentSchema } from './schema.ts';

export interface DevChainOptions {
  /** 0 takes a free port. */
  port: number;
  host: string;
  /** JSON file that keeps the chain over a restart; without it the chain lives in memory. */
  file?: string;
  /** Delay before every answer of the RPC call; 0 by default. */
  latencyMs?: number;
}

export interface DevChain {
  url: string;
  port: number;
  /** The same as `PUT /accounts/{account_id}`. */
  land(accountId: string, commitment: string): Promise<void>;
  close(): Promise<void>;
}

export async function startDevChain(options: DevChainOptions): Promise<DevChain> {
  const ledger = await DevChainLedger.open(options.file ?? null);
  const listener = getRequestListener(devChainApp(ledger, options.latencyMs ?? 0).fetch);
  const server = createServer((request, response) => void listener(request, response));
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');

  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${String(address.port)}`,
    port: address.port,
    land: async (accountId, commitment) =>
      ledger.land(v.parse(accountIdSchema, accountId), v.parse(commitmentSchema, commitment)),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      // Clients keep their connections open; a chain that closes is done with them.
      server.closeAllConnections();
      await closed;
      await ledger.settled();
    },
  };
}
