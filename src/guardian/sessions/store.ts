/**
 * Login challenges and sessions in the database, so that every replica knows them (protocol
 * §5.1). Whatever goes wrong in the database is thrown: no answer is never an authorization.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Sql } from '../../database/connect.ts';
import { sessionLimits } from '../../limits.ts';

/** One kind of login; its challenges and tokens mean nothing in another. */
export type Realm = 'evm' | 'operator';

export interface Challenge {
  /** What the signature answers; unguessable. */
  key: string;
  /** What else verification needs. */
  payload: unknown;
  issuedAt: Date;
  expiresAt: Date;
}

export interface Session {
  /** 32 random bytes in hex, without a prefix; known to the client only. */
  token: string;
  expiresAt: Date;
}

/** 32 random bytes in hex, for challenge keys. */
export const randomKey = (): string => randomBytes(32).toString('hex');

/** Stores a challenge; beyond the limit, the oldest live one of the principal goes. */
export async function issueChallenge(
  sql: Sql,
  challenge: { realm: Realm; principal: string; key: string; payload?: Record<string, unknown> },
): Promise<{ issuedAt: Date; expiresAt: Date }> {
  const [row] = await sql<{ issued_at: Date; expires_at: Date }[]>`
    select issued_at, expires_at from guardian.issue_challenge(
      ${challenge.realm}, ${challenge.key}, ${challenge.principal},
      ${JSON.stringify(challenge.payload ?? {})}::text::json,
      ${sessionLimits.challengeSeconds}, ${sessionLimits.liveChallenges})`;
  if (!row) throw new Error('issue_challenge returned nothing');
  return { issuedAt: row.issued_at, expiresAt: row.expires_at };
}

/** The challenges that a principal may still answer, newest first. */
export async function liveChallenges(
  sql: Sql,
  realm: Realm,
  principal: string,
): Promise<Challenge[]> {
  return sql<Challenge[]>`
    select challenge_key as key, payload, issued_at as "issuedAt", expires_at as "expiresAt"
    from guardian.live_challenges(${realm}, ${principal})`;
}

/**
 * Consumes a challenge whose answer was verified and opens the session, in one transaction.
 * @returns undefined when the challenge was consumed or has expired meanwhile.
 */
export async function openSession(
  sql: Sql,
  login: { realm: Realm; principal: string; key: string; subject: string },
): Promise<Session | undefined> {
  const token = randomBytes(32).toString('hex');
  const [row] = await sql<{ expires_at: Date | null }[]>`
    select guardian.open_session(${login.realm}, ${login.key}, ${login.principal},
      ${digestOf(token)}, ${login.subject}, ${sessionLimits.sessionSeconds}) as expires_at`;
  return row?.expires_at ? { token, expiresAt: row.expires_at } : undefined;
}

/** Whose session a token is; undefined when there is none, or it has expired or was revoked. */
export async function sessionSubject(
  sql: Sql,
  realm: Realm,
  token: string,
): Promise<string | undefined> {
  const [row] = await sql<{ subject: string | null }[]>`
    select guardian.session_subject(${realm}, ${digestOf(token)}) as subject`;
  return row?.subject ?? undefined;
}

/** Ends a session on all replicas; unknown tokens are no error. */
export async function revokeSession(sql: Sql, realm: Realm, token: string): Promise<void> {
  await sql`select guardian.revoke_session(${realm}, ${digestOf(token)})`;
}

function digestOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}
