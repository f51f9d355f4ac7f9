import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { ServiceError } from '../../../errors.ts';
import { sessionLimits } from '../../../limits.ts';
import { revokeSession, sessionSubject, type Session } from '../../sessions/store.ts';
import type { CookiePolicy, EvmContext } from '../context.ts';
import type { Hex } from '../values.ts';

/** Protocol §1.7. The value is 0x and the session's token. */
const cookieName = 'guardian_evm_session';

export function sendSession(c: Context, policy: CookiePolicy, session: Session): void {
  setCookie(c, cookieName, `0x${session.token}`, {
    ...attributes(c, policy),
    maxAge: sessionLimits.sessionSeconds,
    expires: session.expiresAt,
  });
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
  deleteCookie(c, cookieName, { ...attributes(c, context.cookies), expires: new Date(0) });
}

function tokenOf(c: Context): string | undefined {
  return /^0x([0-9a-f]{64})$/.exec(getCookie(c, cookieName) ?? '')?.[1];
}

function attributes(c: Context, policy: CookiePolicy) {
  const forwarded = policy.trustProxy ? c.req.header('x-forwarded-proto') : undefined;
  // of several proxies, the first one spoke with the client
  const scheme = forwarded?.split(',')[0]?.trim() ?? new URL(c.req.url).protocol.slice(0, -1);
  const secure = policy.alwaysSecure || scheme === 'https';
  return { path: '/', httpOnly: true, sameSite: 'Strict', secure } as const;
}
