import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { authenticationLimits } from '../../limits.ts';
import type { GuardianContext } from '../context.ts';
import type { SignatureScheme } from '../networks/network.ts';
import type { SignedRequest, StoredAuth } from './signed-request.ts';
import { AuthenticationError } from './signature.ts';

/** A request whose signature is verified; its timestamp is not used up yet. */
export interface Admission {
  accountId: string;
  /** Version of the signer set it was verified against. */
  authVersion: bigint;
  signer: string;
  timestamp: bigint;
  scheme: SignatureScheme;
}

/** `0x` + 30 lower-case hex digits: a Miden account. */
export const accountIdText = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{30}$/));
const timestampText = v.pipe(
  v.string(),
  v.regex(/^-?\d{1,19}$/),
  v.transform((text) => BigInt(text)),
  // a Postgres bigint, as in the protocol
  v.minValue(-(2n ** 63n)),
  v.maxValue(2n ** 63n - 1n),
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

interface AuthRow extends StoredAuth {
  /** Null when the account is not configured here. */
  state: Uint8Array | null;
  now_ms: bigint;
}

/** The account, undefined when it is not configured here, at a moment of the database's clock. */
export async function loadAuth(
  context: GuardianContext,
  accountId: string,
): Promise<{ stored: StoredAuth | undefined; nowMs: bigint }> {
  const [row] = await context.sql<AuthRow[]>`
    select a.auth_version, a.auth_scheme, a.signer_commitments, a.commitment, a.state, c.now_ms
    from (select (extract(epoch from clock_timestamp()) * 1000)::bigint) c (now_ms)
    left join guardian.account a on a.account_id = ${accountId}`;
  if (!row) throw new ServiceError('storage_error');
  const { state, now_ms: nowMs, ...auth } = row;
  if (state) {
    rememberState(context, accountId, auth.commitment, state);
    context.remembered.rememberAuth(accountId, auth);
  }
  return { stored: state ? auth : undefined, nowMs };
}

/** A state that cannot be opened concerns nobody before somebody needs it. */
function rememberState(
  { remembered, storage }: GuardianContext,
  accountId: string,
  commitment: string,
  stored: Uint8Array,
): void {
  if (remembered.state(accountId, commitment)) return;
  try {
    remembered.rememberState(accountId, commitment, storage.openState(accountId, stored));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
  }
}

/**
 * Authenticates a request that writes and runs `handle`, which uses up the request's timestamp in the
 * statement that does its work. A remembered signer set spares a round trip; when it is old
 * (`stale_auth`, or the signer is not in it), the request is verified against a fresh one.
 *
 * @throws ServiceError `account_not_found`, `authentication_failed`, `authentication_replay`
 */
export async function admitted<T>(
  context: GuardianContext,
  request: SignedRequest,
  handle: (admission: Admission, stored: StoredAuth) => Promise<{ outcome: string } & T>,
): Promise<{ outcome: string } & T> {
  let remembered = context.remembered.auth(request.accountId);
  let failed: { version: bigint; error: ServiceError } | undefined;
  for (let attempt = 0; attempt < authenticationLimits.maxVerifications; attempt++) {
    const stored = remembered ?? (await loadFresh(context, request));
    const { auth_version: authVersion, auth_scheme: scheme } = stored;
    // the memory was right: to hash the body once more would not change a thing
    if (failed?.version === authVersion) throw failed.error;
    let signer: string;
    try {
      signer = await verifySigner(context, request, scheme, stored.signer_commitments);
    } catch (error) {
      if (!remembered || !(error instanceof ServiceError)) throw error;
      failed = { version: authVersion, error };
      remembered = undefined;
      continue;
    }
    remembered = undefined;
    const { accountId, timestamp } = request;
    const result = await handle({ accountId, authVersion, signer, timestamp, scheme }, stored);
    if (result.outcome !== 'stale_auth') return refuseUnauthenticated(result);
    context.remembered.forgetAuth(accountId);
  }
  throw new ServiceError('authentication_replay');
}

/** An unknown account is that, whatever the time of the request (protocol §2.7). */
async function loadFresh(
  context: GuardianContext,
  { accountId, timestamp }: SignedRequest,
): Promise<StoredAuth> {
  const { stored, nowMs } = await loadAuth(context, accountId);
  if (!stored) throw new ServiceError('account_not_found');
  assertFresh(timestamp, nowMs);
  return stored;
}

/**
 * What the admission in the database refused; the database's clock has the last word.
 * @throws ServiceError `account_not_found`, `authentication_failed`, `authentication_replay`
 */
export function refuseUnauthenticated<T extends { outcome: string }>(result: T): T {
  switch (result.outcome) {
    case 'account_not_found':
    case 'authentication_failed':
    case 'authentication_replay':
      throw new ServiceError(result.outcome);
    case 'not_fresh':
      throw new ServiceError('authentication_failed', 'The timestamp is too far from the clock.');
    default:
      return result;
  }
}
