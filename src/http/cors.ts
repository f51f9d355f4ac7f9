import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

/**
 * Cross-origin rules of the protocol (§1.7): without a list any origin, method and header but no
 * credentials; with a list those origins with credentials and the headers that clients send.
 */
export function corsPolicy(allowedOrigins: readonly string[] | undefined): MiddlewareHandler {
  const exposeHeaders = ['retry-after'];
  const allowMethods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'];
  if (!allowedOrigins) return cors({ origin: '*', allowMethods, exposeHeaders });
  return cors({
    origin: [...allowedOrigins],
    credentials: true,
    allowMethods,
    allowHeaders: ['content-type', 'authorization', 'x-pubkey', 'x-signature', 'x-timestamp'],
    exposeHeaders,
  });
}
