import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { operatorLimits, sessionLimits } from '../../limits.ts';
import { canonicalJson } from '../authentication/canonical-json.ts';
import { textWord } from '../authentication/request-message.ts';
import { AuthenticationError } from '../authentication/signature.ts';
import { wordToHex } from '../networks/miden/word.ts';
import {
  issueChallenge,
  liveChallenges,
  openSession,
  randomKey,
  type Session,
} from '../sessions/store.ts';
import type { Operator } from './allowlist.ts';
import type { OperatorContext } from './context.ts';

/** Challenges are for no origin in particular (protocol §1.5, O1). */
const domain = '*';

const commitmentText = v.pipe(
  v.string(),
  v.regex(/^(?:0x)?[0-9a-fA-F]{64}$/),
  v.transform((text) => `0x${text.replace(/^0x/, '').toLowerCase()}`),
);

/**
 * GET /auth/challenge: what an operator signs to log in (protocol §1.5, O1). Whoever is not an
 * operator gets the same in form, and about as fast: the decoy writes to the log of the database
 * as a challenge does, but no row.
 * @throws ServiceError `invalid_commitment`; `rate_limit_exceeded`; `configuration_error` while the list is unusable
 */
export async function challengeOperator(context: OperatorContext, text: string | undefined) {
  const parsed = v.safeParse(commitmentText, text);
  if (!parsed.success) throw new ServiceError('invalid_commitment');
  const commitment = parsed.output;
  context.logins.spend('challenge', commitment);
  const operator = await context.allowlist.find(commitment);
  const outcome = operator ? 'success' : 'denied';
  context.metrics.count('guardian_operator_auth_challenges_total', { outcome });
  const key = randomKey();
  const { expiresAt } = operator
    ? await issueChallenge(context.sql, { realm: 'operator', principal: commitment, key })
    : await decoy(context, commitment, key);
  const challenge = { commitment, domain, nonce: key, expires_at: expiresAt.toISOString() };
  return {
    success: true,
    challenge: { ...challenge, signing_digest: digestOf(commitment, { key, expiresAt }) },
  };
}

async function decoy({ sql }: OperatorContext, commitment: string, key: string) {
  const [row] = await sql<{ expires_at: Date }[]>`
    select guardian.decoy_challenge(${key}, ${sessionLimits.challengeSeconds}, ${commitment})
      as expires_at`;
  if (!row) throw new Error('decoy_challenge returned nothing');
  return { expiresAt: row.expires_at };
}

type OperatorSession = Session & { operatorId: string };

/** Body of POST /auth/verify. */
export const loginBody = v.object({ commitment: v.string(), signature: v.string() });

/**
 * POST /auth/verify: opens a session for the operator who signed one of the challenges that are
 * live for the key (protocol §1.5, O2). A challenge is used up only by a signature that fits.
 * For an operator up to eight challenges are tried, for others one that nobody was sent: whoever is
 * refused learns neither from the time nor from threads that are busy which of the two it was.
 * @throws ServiceError `invalid_input` for a body of another form; `rate_limit_exceeded`;
 *   `authentication_failed` whatever else is wrong; `configuration_error` while the list is unusable
 * @throws ComputeOverloadError, ComputeFailedError
 */
export async function openOperatorSession(
  context: OperatorContext,
  body: unknown,
): Promise<OperatorSession> {
  const { metrics } = context;
  const count = (outcome: 'success' | 'denied') =>
    metrics.count('guardian_operator_auth_verifications_total', { outcome });
  try {
    const session = await verifyLogin(context, body);
    count('success');
    metrics.count('guardian_operator_sessions_started_total', {});
    return session;
  } catch (error) {
    if (error instanceof ServiceError && error.status < 500) count('denied');
    throw error;
  }
}

async function verifyLogin(context: OperatorContext, body: unknown): Promise<OperatorSession> {
  const texts = v.safeParse(loginBody, body);
  if (!texts.success) throw new ServiceError('invalid_input', 'The body is not a login.');
  const parsed = v.safeParse(commitmentText, texts.output.commitment);
  if (!parsed.success) throw refused();
  const principal = parsed.output;
  context.logins.spend('verify', principal);
  const earliestRefusal = sleep(operatorLimits.refusalMs);
  try {
    return await answerChallenge(context, principal, texts.output.signature);
  } catch (error) {
    await earliestRefusal;
    throw error;
  }
}

async function answerChallenge(
  context: OperatorContext,
  principal: string,
  signature: string,
): Promise<OperatorSession> {
  const operator = await context.allowlist.find(principal);
  const live = await liveChallenges(context.sql, 'operator', principal);
  if (!operator || live.length === 0) {
    const nobody = { scheme: operator?.scheme ?? 'falcon', commitment: principal };
    await isSigned(context, nobody, { key: randomKey(), expiresAt: new Date() }, signature);
    throw refused();
  }
  for (const challenge of live) {
    if (!(await isSigned(context, operator, challenge, signature))) continue;
    const login = { realm: 'operator', principal, key: challenge.key, subject: principal } as const;
    const session = await openSession(context.sql, login);
    if (session) return { ...session, operatorId: principal };
    break;
  }
  throw refused();
}

async function isSigned(
  { signatures }: OperatorContext,
  { scheme, commitment }: Pick<Operator, 'scheme' | 'commitment'>,
  challenge: { key: string; expiresAt: Date },
  signature: string,
): Promise<boolean> {
  const message = digestOf(commitment, challenge);
  const claim = { scheme, message, signature, publicKey: '', authorized: [commitment] };
  try {
    await signatures.verifyMessage(claim);
    return true;
  } catch (error) {
    if (error instanceof AuthenticationError) return false;
    throw error;
  }
}

/** The word that is signed: the challenge as canonical JSON, hashed as a request's payload is. */
function digestOf(
  commitment: string,
  { key, expiresAt }: { key: string; expiresAt: Date },
): string {
  const expires_at = expiresAt.toISOString();
  return wordToHex(textWord(canonicalJson({ commitment, domain, expires_at, nonce: key })));
}

const refused = () => new ServiceError('authentication_failed', 'The login is not valid.');
