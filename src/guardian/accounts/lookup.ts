import type * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { assertFresh } from '../authentication/authenticate.ts';
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
  try {
    await context.signatures.verifyLookup({ timestamp, keyCommitment, signature });
  } catch (error) {
    if (error instanceof AuthenticationError) throw new ServiceError('authentication_failed');
    throw error;
  }
  const rows = await context.sql<{ now_ms: bigint; account_id: string | null }[]>`
    select c.now_ms, a.account_id
    from (select (extract(epoch from clock_timestamp()) * 1000)::bigint) c (now_ms)
    left join guardian.account a on a.signer_commitments @> ${[keyCommitment]}
    order by a.account_id`;
  const [first] = rows;
  if (!first) throw new ServiceError('storage_error');
  assertFresh(timestamp, first.now_ms);
  return {
    accounts: rows.flatMap(({ account_id }) => (account_id === null ? [] : [{ account_id }])),
  };
}
