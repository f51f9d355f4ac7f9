import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { admitted, parseAccountId } from '../authentication/authenticate.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import type { JsonValue } from '../authentication/canonical-json.ts';
import type { GuardianContext } from '../context.ts';
import { ChainError } from '../networks/network.ts';
import { refusalOf, type Written } from './refusal.ts';
import { abandonBody, type abandonAnswer } from './wire.ts';

interface AbandonRow extends Written {
  state: 'pending' | 'abandoned' | 'retained';
  requested_at: Date | null;
}

/**
 * POST /delta/candidate/abandon: records that the client will not land this delta (protocol
 * §1.4, C14). The worker decides after a quarantine; landing always wins.
 * @throws ServiceError
 */
export async function abandonDelta(
  context: GuardianContext,
  body: JsonValue,
  request: Omit<SignedRequest, 'accountId'>,
): Promise<v.InferOutput<typeof abandonAnswer>> {
  const parsed = v.safeParse(abandonBody, body);
  if (!parsed.success)
    throw new ServiceError('invalid_input', 'account_id and nonce are required.');
  const accountId = parseAccountId(parsed.output.account_id);
  const { nonce } = parsed.output;
  const row = await admitted<AbandonRow>(
    context,
    { ...request, accountId },
    async ({ authVersion, signer, timestamp }) => {
      const onChain = await commitmentOnChain(context, accountId);
      const [recorded] = await context.sql<AbandonRow[]>`
        select r.*, guardian.refusal_details(${accountId}, r.outcome) as refusal
        from guardian.request_abandon(
          ${accountId}, ${authVersion}, ${signer}, ${timestamp}, ${nonce}, ${onChain}) r`;
      if (!recorded) throw new ServiceError('storage_error');
      return recorded;
    },
  );
  if (row.outcome !== 'recorded') throw refusalOf(row);
  return {
    account_id: accountId,
    nonce,
    state: row.state,
    ...(row.requested_at ? { abandon_requested_at: row.requested_at.toISOString() } : {}),
  };
}

/** Null where the chain shows nothing, and where its node does not answer: an intent is recorded. */
async function commitmentOnChain(
  context: GuardianContext,
  accountId: string,
): Promise<string | null> {
  try {
    return await context.network.commitmentOnChain(accountId);
  } catch (error) {
    if (error instanceof ChainError) return null;
    throw error;
  }
}
