import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { ServiceError } from '../../../errors.ts';
import { clearSessionCookie, sendSessionCookie, type CookiePolicy } from '../../sessions/cookie.ts';
import { revokeSession, sessionSubject, type Session } from '../../sessions/store.ts';
import type { EvmContext } from '../context.ts';
import type { Hex } from '../values.ts';

/** Protocol §1.7. The value is 0x and the session's token. */
const cookieName = 'guardian_evm_session';

export function sendSession(c: Context, policy: CookiePolicy, session: Session): void {
  const value = `0x${session.token}`;
  sendSessionCookie(c, policy, { name: cookieName, value, expires: session.expiresAt });
}

/**
 * The address that is logged in.
 * @throws ServiceError `authentication_failed`
 */
export async function requireSession(c: Context, context: EvmContext): Promise<Hex> {
  const token = tokenOf(c);
  const subject = token && (await sessionSubject(context.sql, 'evm', token));
  if (!subject) throw new ServiceError('authentication_failed', 'Log in first.');
  return subject as Hex; // an address, as it was when the session was opened
}

/** Ends the session, if there is one, and takes the cookie back (E3). */
export async function endSession(c: Context, context: EvmContext): Promise<void> {
  const token = tokenOf(c);
  if (token) await revokeSession(context.sql, 'evm', token);
  clearSessionCookie(c, context.cookies, cookieName);
}

function tokenOf(c: Context): string | undefined {
  return /^0x([0-9a-f]{64})$/.exec(getCookie(c, cookieName) ?? '')?.[1];
}
