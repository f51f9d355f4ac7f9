import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { authenticationLimits } from '../../limits.ts';
import type { GuardianContext } from '../context.ts';
import type { SignatureScheme } from '../networks/network.ts';
import { AuthenticationError } from './signature.ts';

/** What a signed request brings along (protocol §1.1). */
export interface SignedRequest {
  accountId: string;
  /** Canonical JSON of the body or of the query object (protocol §2.3). */
  payload: string;
  publicKey: string;
  signature: string;
  /** Unix milliseconds, 64 bits. */
  timestamp: bigint;
}

/** Verifies request signatures away from the event loop. */
export interface RequestVerifier {
  /**
   * @returns the key commitment of the signer, one of `authorized`.
   * @throws AuthenticationError
   */
  verifyRequest(
    request: SignedRequest & { scheme: SignatureScheme; authorized: readonly string[] },
  ): Promise<string>;
}

/** A request whose signature is verified; its timestamp is not used up yet. */
export interface Admission {
  accountId: string;
  /** Version of the signer set it was verified against. */
  authVersion: bigint;
  signer: string;
  timestamp: bigint;
  scheme: SignatureScheme;
}

/** The stored account as authentication needs it. */
export interface StoredAuth {
  auth_version: bigint;
  auth_scheme: SignatureScheme;
  signer_commitments: string[];
  commitment: string;
  now_ms: bigint;
}

const accountIdText = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{30}$/));
const timestampText = v.pipe(
  v.string(),
  v.regex(/^-?\d{1,19}$/),
  v.transform((text) => BigInt(text)),
);

/**
 * @throws ServiceError `invalid_account_id`, or `unsupported_for_network` for EVM accounts.
 */
export function parseAccountId(value: unknown): string {
  if (typeof value === 'string' && value.startsWith('evm:')) {
    throw new ServiceError('unsupported_for_network');
  }
  const parsed = v.safeParse(accountIdText, value);
  if (!parsed.success) throw new ServiceError('invalid_account_id');
  return parsed.output;
}

/**
 * The three headers of a signed request.
 * @throws ServiceError `authentication_failed` when one is missing or unreadable.
 */
export function readSignatureHeaders(
  header: (name: string) => string | undefined,
): Pick<SignedRequest, 'publicKey' | 'signature' | 'timestamp'> {
  const publicKey = header('x-pubkey');
  const signature = header('x-signature');
  const timestamp = v.safeParse(timestampText, header('x-timestamp'));
  if (!publicKey || !signature || !timestamp.success) {
    throw new ServiceError(
      'authentication_failed',
      'The headers x-pubkey, x-signature and x-timestamp are required.',
    );
  }
  return { publicKey, signature, timestamp: timestamp.output };
}

/**
 * Freshness against the database clock (protocol §2.7); terminal for the client.
 * @throws ServiceError `authentication_failed`
 */
export function assertFresh(timestamp: bigint, nowMs: bigint): void {
  const age = nowMs - timestamp;
  const skew = BigInt(authenticationLimits.maxSkewMs);
  if (age > skew || age < -skew) {
    throw new ServiceError('authentication_failed', 'The timestamp is too far from the clock.');
  }
}

/**
 * Verifies a signature against a signer set.
 * @returns the signer's key commitment.
 * @throws ServiceError `authentication_failed`
 */
export async function verifySigner(
  context: GuardianContext,
  request: SignedRequest,
  scheme: SignatureScheme,
  authorized: readonly string[],
): Promise<string> {
  try {
    return await context.requests.verifyRequest({ ...request, scheme, authorized });
  } catch (error) {
    if (error instanceof AuthenticationError) throw new ServiceError('authentication_failed');
    throw error;
  }
}

/** The account with the database's clock; undefined when it is not configured here. */
export async function loadAuth(
  context: GuardianContext,
  accountId: string,
): Promise<StoredAuth | undefined> {
  const [row] = await context.sql<StoredAuth[]>`
    select auth_version, auth_scheme, signer_commitments, commitment,
           (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms
    from guardian.account where account_id = ${accountId}`;
  return row;
}

/** The database's clock in Unix milliseconds: it decides freshness and expiry. */
export async function databaseClock(context: GuardianContext): Promise<bigint> {
  const [row] = await context.sql<{ now_ms: bigint }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms`;
  if (!row) throw new ServiceError('storage_error');
  return row.now_ms;
}

/**
 * Authenticates a request and runs `handle`, which uses up the request's timestamp in the
 * statement that does its work. When the signer set changed in between (`stale_auth`), the
 * request is verified again against the new set.
 *
 * @throws ServiceError `account_not_found`, `authentication_failed`, `authentication_replay`
 */
export async function admitted<T>(
  context: GuardianContext,
  request: SignedRequest,
  handle: (admission: Admission, stored: StoredAuth) => Promise<{ outcome: string } & T>,
): Promise<{ outcome: string } & T> {
  for (let attempt = 0; attempt < authenticationLimits.maxVerifications; attempt++) {
    const stored = await loadAuth(context, request.accountId);
    if (!stored) throw new ServiceError('account_not_found');
    assertFresh(request.timestamp, stored.now_ms);
    const signer = await verifySigner(
      context,
      request,
      stored.auth_scheme,
      stored.signer_commitments,
    );
    const { accountId, timestamp } = request;
    const result = await handle(
      {
        accountId,
        authVersion: stored.auth_version,
        signer,
        timestamp,
        scheme: stored.auth_scheme,
      },
      stored,
    );
    if (result.outcome === 'account_not_found') throw new ServiceError('account_not_found');
    if (result.outcome === 'authentication_replay') throw new ServiceError('authentication_replay');
    if (result.outcome !== 'stale_auth') return result;
  }
  throw new ServiceError('authentication_replay');
}
