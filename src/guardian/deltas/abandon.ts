import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { admitted, parseAccountId } from '../authentication/authenticate.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import type { JsonValue } from '../authentication/canonical-json.ts';
import type { GuardianContext } from '../context.ts';
import { ChainError } from '../networks/network.ts';
import { refusalOf } from './refusal.ts';
import { abandonBody, type abandonAnswer } from './wire.ts';

interface AbandonRow {
  outcome: string;
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
      const landed = await hasLanded(context, accountId, nonce);
      const [recorded] = await context.sql<AbandonRow[]>`
        select * from guardian.request_abandon(
          ${accountId}, ${authVersion}, ${signer}, ${timestamp}, ${nonce}, ${landed})`;
      if (!recorded) throw new ServiceError('storage_error');
      return recorded;
    },
  );
  if (row.outcome !== 'recorded') throw await refusalOf(context, accountId, row.outcome);
  return {
    account_id: accountId,
    nonce,
    state: row.state,
    ...(row.requested_at ? { abandon_requested_at: row.requested_at.toISOString() } : {}),
  };
}

/** A node that does not answer does not keep a client from recording its intent. */
async function hasLanded(
  context: GuardianContext,
  accountId: string,
  nonce: bigint,
): Promise<boolean> {
  const [delta] = await context.sql<{ new_commitment: string }[]>`
    select new_commitment from guardian.delta
    where account_id = ${accountId} and nonce = ${nonce} and status = 'candidate'`;
  if (!delta) return false;
  try {
    return (await context.network.commitmentOnChain(accountId)) === delta.new_commitment;
  } catch (error) {
    if (error instanceof ChainError) return false;
    throw error;
  }
}
