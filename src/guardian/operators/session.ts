import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { ServiceError } from '../../errors.ts';
import { clearSessionCookie, sendSessionCookie } from '../sessions/cookie.ts';
import { revokeSession, sessionSubject, type Session } from '../sessions/store.ts';
import type { Operator } from './allowlist.ts';
import type { OperatorContext } from './context.ts';

/** Protocol §1.7. The value is the session's token. */
const cookieName = 'guardian_operator_session';

export function sendSession(c: Context, context: OperatorContext, session: Session): void {
  const { token: value, expiresAt: expires } = session;
  sendSessionCookie(c, context.cookies, { name: cookieName, value, expires });
}

/**
 * Who is logged in, with the permissions of this moment. The session of somebody who is no longer
 * an operator ends here.
 * @throws ServiceError `authentication_failed`; `configuration_error` while the list is unusable
 */
export async function requireOperator(c: Context, context: OperatorContext): Promise<Operator> {
  const token = tokenOf(c);
  const subject = token && (await sessionSubject(context.sql, 'operator', token));
  const operator = subject && (await context.allowlist.find(subject));
  if (operator) return operator;
  if (subject) await revokeSession(context.sql, 'operator', token);
  throw new ServiceError('authentication_failed', 'Log in first.');
}

/** Ends the session, if there is one, and takes the cookie back (O3). */
export async function endSession(c: Context, context: OperatorContext): Promise<void> {
  const token = tokenOf(c);
  if (token) await revokeSession(context.sql, 'operator', token);
  clearSessionCookie(c, context.cookies, cookieName);
}

function tokenOf(c: Context): string | undefined {
  return /^[0-9a-f]{64}$/.exec(getCookie(c, cookieName) ?? '')?.[0];
}
