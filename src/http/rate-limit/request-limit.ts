import type { Context, MiddlewareHandler } from 'hono';
import { ServiceError } from '../../errors.ts';
import { routePattern } from '../routes.ts';
import { clientAddress, clientNetwork, type TrustedProxy } from '../client-address.ts';
import { Budget } from './budget.ts';

/** Deno passes on whatever a client calls its method; each would have a burst of its own. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

/** Limits of the fleet for one client, and how many replicas share them. */
export interface RequestLimits {
  burstPerSecond: number;
  perMinute: number;
  replicas: number;
  trustedProxy: TrustedProxy;
  /** Told of every rejection: which limit it was. */
  onRejected?: (limit: 'burst' | 'sustained') => void;
}

/**
 * Limits what one client asks of this replica (protocol §1.8): a second's worth for each endpoint,
 * then a minute's worth over all, each for the client's address and for the account or signer it
 * names from there.
 */
export function requestLimit(limits: RequestLimits): MiddlewareHandler {
  const { replicas } = limits;
  const burst = new Budget({ count: limits.burstPerSecond, periodMs: 1_000 }, replicas);
  const sustained = new Budget({ count: limits.perMinute, periodMs: 60_000 }, replicas);
  return async (c, next) => {
    const client = clientNetwork(clientAddress(c, limits.trustedProxy));
    const named = `${client} ${accountOrSigner(c)}`;
    const endpoint = `${methods.has(c.req.method) ? c.req.method : 'other'} ${routePattern(c) ?? 'none'}`;
    spend(burst, [`${client} ${endpoint}`, `${named} ${endpoint}`], 'burst', limits);
    spend(sustained, [client, named], 'sustained', limits);
    await next();
  };
}

/** A key before the refused one stays spent: who is refused may not go on trying for free. */
function spend(
  budget: Budget,
  keys: readonly string[],
  limit: 'burst' | 'sustained',
  { onRejected }: RequestLimits,
): void {
  for (const key of keys) {
    const waitMs = budget.spend(key);
    if (waitMs === 0) continue;
    onRejected?.(limit);
    throw tooMany(waitMs);
  }
}

/** The error of a spent budget. @param waitMs until there is something to spend again. */
export function tooMany(waitMs: number): ServiceError {
  return new ServiceError('rate_limit_exceeded', undefined, {
    meta: { retry_after_secs: Math.max(1, Math.ceil(waitMs / 1_000)) },
  });
}

/** As in the protocol: the account of the query, else the beginning of the signer's key. */
function accountOrSigner(c: Context): string {
  const named = c.req.query('account_id') ?? c.req.header('x-pubkey')?.slice(0, 16) ?? '';
  return named.slice(0, 80);
}
