import { ServiceError } from '../../errors.ts';
import { guardianLimits } from '../../limits.ts';
import type * as v from 'valibot';
import { parseJson } from '../authentication/canonical-json.ts';
import { admittedRead, admitting, type Admitted } from '../authentication/admitted-read.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import type { GuardianContext } from '../context.ts';
import { decodeBase64, encodeBase64 } from '../accounts/wire.ts';
import { UnverifiableError } from '../networks/network.ts';
import { largestNonce } from '../wire-values.ts';
import { openedDelta } from './read.ts';
import type { DeltaRow, historyAnswer } from './wire.ts';

interface HistoryRow extends Admitted {
  nonce: bigint | null;
  new_commitment: string;
  status_timestamp: Date;
}

interface Page {
  items: v.InferOutput<typeof historyAnswer>['items'];
  /** The nonce to go on with. */
  next: bigint | null;
}

/**
 * GET /delta/history: one page of canonical deltas, newest first (protocol §1.4, C9).
 *
 * Deltas with notes are refused at submission, so none of these has any.
 *
 * @param before only deltas with a smaller nonce; null starts at the newest.
 * @throws ServiceError
 */
export async function readHistory(
  context: GuardianContext,
  request: SignedRequest,
  limit: number,
  before: bigint | null,
): Promise<Page> {
  const { accountId } = request;
  const rows = await admittedRead(
    context,
    request,
    (admission) => context.sql<HistoryRow[]>`
      select a.*, d.nonce, d.new_commitment, d.status_timestamp
      from ${admitting(context, admission)} a
      left join lateral (
        select * from guardian.delta
        where a.outcome = 'ok' and account_id = ${accountId} and status = 'canonical'
          and nonce <= ${before === null ? largestNonce : before - 1n}
        order by nonce desc limit ${limit + 1}
      ) d on true
      order by d.nonce desc`,
  );
  const found = rows.filter((row): row is HistoryRow & { nonce: bigint } => row.nonce !== null);
  const page = found.slice(0, limit);
  return {
    items: page.map((row) => ({
      nonce: row.nonce,
      status: 'canonical',
      timestamp: row.status_timestamp.toISOString(),
      new_commitment: row.new_commitment,
      input_notes: [],
      output_notes: [],
    })),
    next: found.length > limit ? (page.at(-1)?.nonce ?? null) : null,
  };
}

interface SinceRow extends Admitted, DeltaRow {
  state: Uint8Array;
  /** Deltas there are, up to one more than may be merged, and bytes of their payloads. */
  found: bigint;
  bytes: bigint;
}

/**
 * GET /delta/since: all canonical deltas from a nonce on, merged into one (protocol §1.4, C8).
 * @throws ServiceError `delta_not_found` when there is none, `invalid_input` when there are more
 *   than one answer may merge, `invalid_delta` when they are not of one protocol.
 */
export async function readDeltasSince(
  context: GuardianContext,
  request: SignedRequest,
  nonce: bigint,
): Promise<DeltaRow> {
  const { mergedDeltas: most, mergedBytes: mostBytes } = guardianLimits;
  const { accountId } = request;
  const rows = await admittedRead(
    context,
    request,
    // nothing of the deltas is read for a stranger, and no payload sent that is not merged
    (admission) => context.sql<SinceRow[]>`
      select a.*, s.state, d.account_id, d.nonce, d.status, d.status_reason,
             d.status_timestamp, d.prev_commitment, d.new_commitment, d.found, d.bytes,
             case when d.found <= ${most} and d.bytes <= ${mostBytes} then d.payload::text end
               as payload,
             d.ack_scheme, d.ack_pubkey, d.ack_signature, d.retry_count, d.divergence_count,
             d.abandon_requested_at, d.abandon_confirm_count
      from ${admitting(context, admission)} a
      left join guardian.account s on a.outcome = 'ok' and s.account_id = ${accountId}
      left join lateral (
        select c.*, count(*) over () as found,
               sum(octet_length(c.payload::text)) over () as bytes
        from (
          select * from guardian.delta
          where a.outcome = 'ok' and account_id = ${accountId} and status = 'canonical'
            and nonce >= ${nonce}
          order by candidate_id limit ${most + 1}
        ) c
      ) d on true
      order by d.candidate_id`,
  );
  const [first] = rows;
  const last = rows.at(-1);
  if (!last || first.nonce === null) throw new ServiceError('delta_not_found');
  if (first.found > most) throw tooMany(`${most} deltas`);
  if (first.bytes > mostBytes) throw tooMany(`${mostBytes} bytes of deltas`);
  const data = await merged(context, {
    state: context.storage.openState(accountId, first.state),
    summaries: rows.map((row) => summaryOf(openedDelta(context, row))),
  });
  return {
    ...last,
    prev_commitment: first.prev_commitment,
    payload: `{"data":"${encodeBase64(data)}"}`,
  };
}

const tooMany = (what: string) =>
  new ServiceError('invalid_input', `More than ${what}: ask from a later nonce.`);

async function merged(
  context: GuardianContext,
  input: { state: Uint8Array; summaries: Uint8Array[] },
): Promise<Uint8Array> {
  try {
    return await context.mergeDeltas(input);
  } catch (error) {
    // the account has moved to another protocol since then
    if (!(error instanceof UnverifiableError)) throw error;
    throw new ServiceError('invalid_delta', `The deltas cannot be merged: ${error.message}`);
  }
}

function summaryOf(row: DeltaRow): Uint8Array {
  const { data } = parseJson(row.payload) as { data: string };
  return decodeBase64(data, 'invalid_delta');
}
