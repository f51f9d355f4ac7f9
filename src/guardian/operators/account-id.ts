import type { Context } from 'hono';
import { ServiceError } from '../../errors.ts';

/** The account a dashboard path names. */
export interface NamedAccount {
  kind: 'miden' | 'evm';
  accountId: string;
}

/**
 * @returns null for text that no account can be called.
 */
export function namedAccount(c: Context): NamedAccount | null {
  const accountId = (c.req.param('id') ?? '').toLowerCase();
  if (/^0x[0-9a-f]{30}$/.test(accountId)) return { kind: 'miden', accountId };
  if (/^evm:[1-9]\d{0,15}:0x[0-9a-f]{40}$/.test(accountId)) return { kind: 'evm', accountId };
  return null;
}

/** @throws ServiceError `account_not_found` */
export function requireNamedAccount(c: Context): NamedAccount {
  const named = namedAccount(c);
  if (!named) throw new ServiceError('account_not_found');
  return named;
}
