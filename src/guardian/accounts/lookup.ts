import type * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { assertFresh, databaseClock } from '../authentication/authenticate.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import { AuthenticationError } from '../authentication/signature.ts';
import type { GuardianContext } from '../context.ts';
import type { lookupAnswer } from './wire.ts';

/**
 * GET /state/lookup: the accounts a key may sign for, to whoever holds the key (protocol §2.8).
 * @param keyCommitment `0x` + 64 lower-case hex digits.
 * @throws ServiceError `authentication_failed`
 */
export async function lookUpAccounts(
  context: GuardianContext,
  keyCommitment: string,
  { timestamp, signature }: Pick<SignedRequest, 'timestamp' | 'signature'>,
): Promise<v.InferOutput<typeof lookupAnswer>> {
  assertFresh(timestamp, await databaseClock(context));
  try {
    await context.signatures.verifyLookup({ timestamp, keyCommitment, signature });
  } catch (error) {
    if (error instanceof AuthenticationError) throw new ServiceError('authentication_failed');
    throw error;
  }
  const accounts = await context.sql<{ account_id: string }[]>`
    select account_id from guardian.account
    where signer_commitments @> ${[keyCommitment]} order by account_id`;
  return { accounts: [...accounts] };
}
