/** Session cookies (protocol §1.7): the same attributes in every realm, a name for each. */
import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { sessionLimits } from '../../limits.ts';

export interface CookiePolicy {
  /** Cookies are always `Secure`. */
  alwaysSecure: boolean;
  /** A proxy before this process sets `X-Forwarded-Proto`. */
  trustProxy: boolean;
}

/** Hands a session to the client; the cookie ends when the session does. */
export function sendSessionCookie(
  c: Context,
  policy: CookiePolicy,
  cookie: { name: string; value: string; expires: Date },
): void {
  setCookie(c, cookie.name, cookie.value, {
    ...attributes(c, policy),
    maxAge: sessionLimits.sessionSeconds,
    expires: cookie.expires,
  });
}

/** Makes the client forget its session. */
export function clearSessionCookie(c: Context, policy: CookiePolicy, name: string): void {
  deleteCookie(c, name, { ...attributes(c, policy), expires: new Date(0) });
}

function attributes(c: Context, policy: CookiePolicy) {
  const forwarded = policy.trustProxy ? c.req.header('x-forwarded-proto') : undefined;
  // of several proxies, the first one spoke with the client
  const scheme = forwarded?.split(',')[0]?.trim() ?? new URL(c.req.url).protocol.slice(0, -1);
  const secure = policy.alwaysSecure || scheme === 'https';
  return { path: '/', httpOnly: true, sameSite: 'Strict', secure } as const;
}
