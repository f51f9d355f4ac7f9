/** Documents of an encrypted store, as operators see them. */
import { ServiceError } from '../../errors.ts';
import { errorFields } from '../../observability/log.ts';
import type { OperatorContext } from './context.ts';

interface Documents {
  account_id: string;
  nonce: bigint;
  summary_commitment: string;
}

/**
 * In a list, what cannot be opened is missing and leaves a line in the log: one damaged row must not
 * hide the others.
 */
export function openedOrNull<T>(
  { log }: OperatorContext,
  accountId: string,
  open: () => T,
): T | null {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    log.error({ account: accountId, ...errorFields(error) }, 'a stored document cannot be opened');
    return null;
  }
}

/**
 * JSON texts of a delta's payload and of the metadata of the proposal it was pushed from.
 * @throws ServiceError `account_data_unavailable`
 */
export function openedDocuments(
  { storage }: OperatorContext,
  row: Documents & { payload: string; proposal: string | null },
): { payload: string; proposal: string | null } {
  const { account_id: accountId, nonce, summary_commitment: commitment } = row;
  return {
    payload: storage.openDelta(accountId, nonce, row.payload),
    proposal:
      row.proposal === null ? null : storage.openMetadata(accountId, commitment, row.proposal),
  };
}
