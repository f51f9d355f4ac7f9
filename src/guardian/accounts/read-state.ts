import type * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { admittedRead, admitting, type Admitted } from '../authentication/admitted-read.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import type { GuardianContext } from '../context.ts';
import type { SignatureScheme } from '../networks/network.ts';
import { encodeBase64, type stateAnswer } from './wire.ts';

interface StateRow extends Admitted {
  commitment: string | null;
  state: Uint8Array | null;
  created_at: Date;
  updated_at: Date;
  auth_scheme: SignatureScheme;
}

/**
 * GET /state: the current canonical state. Never gated by pause or release.
 * @throws ServiceError
 */
export async function readState(
  context: GuardianContext,
  request: SignedRequest,
): Promise<v.InferOutput<typeof stateAnswer>> {
  const { accountId } = request;
  const [row] = await admittedRead(
    context,
    request,
    (admission) => context.sql<StateRow[]>`
      select a.*, s.commitment, s.state, s.created_at, s.updated_at, s.auth_scheme
      from ${admitting(context, admission)} a
      left join guardian.account s on a.outcome = 'ok' and s.account_id = ${accountId}`,
  );
  if (!row.state || !row.commitment) throw new ServiceError('state_not_found');
  const state = context.storage.openState(request.accountId, row.state);
  context.remembered.rememberState(request.accountId, row.commitment, state);
  return {
    account_id: request.accountId,
    state_json: { data: encodeBase64(state), account_id: request.accountId },
    commitment: row.commitment,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    auth_scheme: row.auth_scheme,
  };
}
