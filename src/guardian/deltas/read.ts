import { ServiceError } from '../../errors.ts';
import { admittedRead, admitting, type Admitted } from '../authentication/admitted-read.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import type { GuardianContext } from '../context.ts';
import type { DeltaRow } from './wire.ts';

/**
 * GET /delta: one delta by nonce, whatever its status. Never gated by pause or release.
 * @throws ServiceError
 */
export async function readDelta(
  context: GuardianContext,
  request: SignedRequest,
  nonce: bigint,
): Promise<DeltaRow> {
  const { accountId } = request;
  const [row] = await admittedRead(
    context,
    request,
    (admission) => context.sql<(Admitted & DeltaRow)[]>`
      select a.*, d.account_id, d.nonce, d.status, d.status_reason, d.status_timestamp,
             d.prev_commitment, d.new_commitment, d.payload::text as payload, d.ack_scheme,
             d.ack_pubkey, d.ack_signature, d.retry_count, d.divergence_count,
             d.abandon_requested_at, d.abandon_confirm_count
      from ${admitting(context, admission)} a
      left join guardian.delta d
        on a.outcome = 'ok' and d.account_id = ${accountId} and d.nonce = ${nonce}`,
  );
  if (row.nonce === null) throw new ServiceError('delta_not_found');
  return openedDelta(context, row);
}

/** The row with its payload as it was accepted. @throws ServiceError `account_data_unavailable` */
export function openedDelta<Row extends DeltaRow>({ storage }: GuardianContext, row: Row): Row {
  return { ...row, payload: storage.openDelta(row.account_id, row.nonce, row.payload) };
}
