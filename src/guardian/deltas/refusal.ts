import { ServiceError, type ErrorCode, type ErrorMeta } from '../../errors.ts';
import type { GuardianContext } from '../context.ts';

interface Gate {
  paused_at: Date | null;
  paused_reason: string | null;
  released_at: Date | null;
  retry_after_secs: number | null;
}

/**
 * The error for the outcome of a write that was refused, with what the client may want to know:
 * since when the account is paused or released, or when the candidate is looked at next.
 *
 * @param reason why a delta cannot be verified.
 */
export async function refusalOf(
  context: GuardianContext,
  accountId: string,
  outcome: string,
  reason?: string,
): Promise<ServiceError> {
  const code = outcome as ErrorCode;
  if (code === 'invalid_delta' && reason) {
    return new ServiceError(code, `The delta cannot be verified: ${reason}`);
  }
  if (!['conflict_pending_delta', 'account_paused', 'account_released'].includes(code)) {
    return new ServiceError(code);
  }
  const [gate] = await context.sql<Gate[]>`
    select a.paused_at, a.paused_reason, a.released_at,
           greatest(1, ceil(extract(epoch from c.next_attempt_at - clock_timestamp())))::float8
             as retry_after_secs
    from guardian.account a
    left join guardian.delta d on d.account_id = a.account_id and d.status = 'candidate'
    left join canonry.candidate c on c.candidate_id = d.candidate_id
    where a.account_id = ${accountId}
    order by d.candidate_id limit 1`;
  return new ServiceError(code, undefined, { meta: gate ? metaOf(code, gate) : {} });
}

function metaOf(code: ErrorCode, gate: Gate): ErrorMeta {
  if (code === 'account_paused' && gate.paused_at) {
    return { paused_at: gate.paused_at.toISOString(), paused_reason: gate.paused_reason };
  }
  if (code === 'account_released' && gate.released_at) {
    return { released_at: gate.released_at.toISOString() };
  }
  return gate.retry_after_secs === null ? {} : { retry_after_secs: gate.retry_after_secs };
}
