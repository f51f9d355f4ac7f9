import { ServiceError, type ErrorCode, type ErrorMeta } from '../../errors.ts';

/** `guardian.refusal_details`: times as JSON has them. */
interface RefusalDetails {
  paused_at: string | null;
  paused_reason: string | null;
  released_at: string | null;
  retry_after_secs: number | null;
}

/** What a write answers: its outcome, and when that is a refusal, what there is to say about it. */
export interface Written {
  outcome: string;
  refusal: RefusalDetails | null;
}

/**
 * The error for the outcome of a write that was refused, with what the client may want to know:
 * since when the account is paused or released, or when the candidate is looked at next.
 *
 * @param reason why a delta cannot be verified.
 */
export function refusalOf({ outcome, refusal }: Written, reason?: string): ServiceError {
  const code = outcome as ErrorCode;
  if (code === 'invalid_delta' && reason) {
    return new ServiceError(code, `The delta cannot be verified: ${reason}`);
  }
  return new ServiceError(code, undefined, { meta: refusal ? metaOf(code, refusal) : {} });
}

function metaOf(code: ErrorCode, details: RefusalDetails): ErrorMeta {
  if (code === 'account_paused' && details.paused_at) {
    return { paused_at: isoTime(details.paused_at), paused_reason: details.paused_reason };
  }
  if (code === 'account_released' && details.released_at) {
    return { released_at: isoTime(details.released_at) };
  }
  return details.retry_after_secs === null ? {} : { retry_after_secs: details.retry_after_secs };
}

const isoTime = (time: string) => new Date(time).toISOString();
