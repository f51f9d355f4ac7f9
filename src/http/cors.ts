import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { ServiceError } from '../errors.ts';

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

const changing = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Refuses what a page of another site has a browser send with a session's cookie. `SameSite` keeps
 * other sites out, but a neighbouring subdomain is the same site, and a request without a body
 * needs no preflight. Clients that are no browsers send no `Sec-Fetch-Site` and are not asked.
 * @throws ServiceError `authentication_failed`
 */
export function sessionsOfAllowedOrigins(
  allowedOrigins: readonly string[] | undefined,
): MiddlewareHandler {
  const ours = new Set(['same-origin', 'none']);
  return async (c, next) => {
    const site = c.req.header('sec-fetch-site');
    if (site !== undefined && !ours.has(site) && changing.has(c.req.method)) {
      const allowed = allowedOrigins?.includes(c.req.header('origin') ?? '') ?? false;
      if (!allowed && c.req.header('cookie') !== undefined) {
        throw new ServiceError('authentication_failed', 'Sessions are not for this origin.');
      }
    }
    await next();
  };
}
