/** Signed reads: one round trip, whether or not this process remembers the account. */
import type { PendingQuery, Row } from 'postgres';
import { ServiceError } from '../../errors.ts';
import { authenticationLimits } from '../../limits.ts';
import type { GuardianContext } from '../context.ts';
import type { SignatureScheme } from '../networks/network.ts';
import { loadAuth, refuseUnauthenticated, verifySigner } from './authenticate.ts';
import type { RequestSigner, SignedRequest } from './signed-request.ts';
import { AuthenticationError } from './signature.ts';

/** What the database needs to admit a read. */
export interface ReadAdmission extends RequestSigner {
  accountId: string;
  /** Version of the signer set that the signer was found in; null when the database looks. */
  authVersion: bigint | null;
  timestamp: bigint;
}

/** The admission's columns in each row of a read. */
export interface Admitted {
  outcome: string;
  /** The account, where the process did not remember it. */
  seen_version: bigint | null;
  seen_scheme: SignatureScheme;
  seen_signers: string[];
  seen_commitment: string;
}

/**
 * The admission in the statement of a read: one row, to which the read joins what it wants on
 * `outcome = 'ok'`.
 */
export function admitting({ sql }: GuardianContext, admission: ReadAdmission): PendingQuery<Row[]> {
  const { accountId, authVersion, scheme, names, timestamp } = admission;
  return sql`guardian.admit_read(${accountId}, ${authVersion}, ${scheme}, ${names}, ${timestamp})`;
}

/**
 * Authenticates a read and runs it; `read` selects the columns of `admitting` too. When the
 * process does not remember the account, the request is verified by itself and the database says
 * whether its signer is one of the account's.
 *
 * @returns the rows of the read, at least one.
 * @throws ServiceError `account_not_found`, `authentication_failed`, `authentication_replay`
 */
export async function admittedRead<T extends Admitted>(
  context: GuardianContext,
  request: SignedRequest,
  read: (admission: ReadAdmission) => PromiseLike<readonly T[]>,
): Promise<[T, ...T[]]> {
  const { accountId, timestamp } = request;
  const known = await rememberedSigner(context, request);
  if (known) {
    const rows = await run(() => read({ ...known, accountId, timestamp }));
    if (rows[0].outcome !== 'stale_auth') return rows;
    context.remembered.forgetAuth(accountId);
  }
  const signer = await unknownSigner(context, request);
  for (let attempt = 0; attempt < authenticationLimits.maxVerifications; attempt++) {
    const rows = await run(() => read({ ...signer, accountId, timestamp, authVersion: null }));
    // the signer set changed between the look at it and the admission: look again
    if (rows[0].outcome === 'stale_auth') continue;
    rememberSeen(context, accountId, rows[0]);
    return rows;
  }
  throw new ServiceError('authentication_replay');
}

function rememberSeen({ remembered }: GuardianContext, accountId: string, seen: Admitted): void {
  if (seen.seen_version === null) return;
  remembered.rememberAuth(accountId, {
    auth_version: seen.seen_version,
    auth_scheme: seen.seen_scheme,
    signer_commitments: seen.seen_signers,
    commitment: seen.seen_commitment,
  });
}

type Signer = Pick<ReadAdmission, 'authVersion' | 'scheme' | 'names'>;

/** The signer among those of the account that the process remembers. */
async function rememberedSigner(
  context: GuardianContext,
  request: SignedRequest,
): Promise<Signer | undefined> {
  const stored = context.remembered.auth(request.accountId);
  if (!stored) return undefined;
  const { auth_version: authVersion, auth_scheme: scheme, signer_commitments: all } = stored;
  try {
    return { authVersion, scheme, names: [await verifySigner(context, request, scheme, all)] };
  } catch (error) {
    // the memory may be old: the database knows
    if (error instanceof ServiceError && error.code === 'authentication_failed') return undefined;
    throw error;
  }
}

/** @throws ServiceError `authentication_failed`; `account_not_found` comes before it. */
async function unknownSigner(
  context: GuardianContext,
  request: SignedRequest,
): Promise<RequestSigner> {
  try {
    return await context.requests.signerOfRequest(request);
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error;
    const { stored } = await loadAuth(context, request.accountId);
    if (!stored) throw new ServiceError('account_not_found');
    throw new ServiceError('authentication_failed');
  }
}

/** @returns rows that are admitted, or of which the first is `stale_auth`. */
async function run<T extends Admitted>(
  read: () => PromiseLike<readonly T[]>,
): Promise<[T, ...T[]]> {
  const [first, ...others] = await read();
  if (!first || !knownOutcomes.has(refuseUnauthenticated(first).outcome)) {
    throw new ServiceError('storage_error');
  }
  return [first, ...others];
}

const knownOutcomes = new Set(['ok', 'stale_auth']);
