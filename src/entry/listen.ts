import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';

export interface Listening {
  url: string;
  port: number;
  /** Lets requests under way finish; idle connections are closed at once. */
  close(): Promise<void>;
}

/**
 * Serves an application through `node:http`.
 * @param variable what names the port, for the error.
 * @throws Error naming the variable to change when the address is taken.
 */
export async function listen(
  app: Hono,
  host: string,
  port: number,
  variable = 'PORT',
): Promise<Listening> {
  // by default it puts classes of its own in the place of Request and Response, which are quicker
  // on Node and which Deno's own server refuses
  const overrideGlobalObjects = !('Deno' in globalThis);
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects });
  const server: Server = createServer((request, response) => void listener(request, response));
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new Error(`Port ${port} is in use. Set ${variable} to another one, or to 0.`);
    }
    throw error;
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      // keep-alive connections that are between two requests would hold the server open
      const idle = setInterval(() => server.closeIdleConnections(), 100);
      await closed;
      clearInterval(idle);
    },
  };
}
