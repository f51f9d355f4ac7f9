import { Buffer } from 'node:buffer';
import type { Sql } from '../../database/connect.ts';
import { ServiceError } from '../../errors.ts';
import { rowsAsJson } from '../../kernel/group-commit.ts';
import { groupSubmissions } from '../../kernel/group-submissions.ts';
import type { Written } from './refusal.ts';
import type { DeltaRow } from './wire.ts';

/** The arguments of guardian.submit_delta; what is null depends on the verdict. */
export interface Candidate {
  account_id: string;
  auth_version: bigint;
  signer: string;
  timestamp: bigint;
  verdict: string;
  nonce: bigint;
  prev_commitment: string;
  new_commitment: string | null;
  summary_commitment: string | null;
  /** JSON text. */
  payload: string;
  ack_scheme: string | null;
  ack_pubkey: string | null;
  ack_signature: string | null;
  state: Uint8Array | null;
  signers: string[] | null;
  bound_here: boolean | null;
  queue_name: string | null;
}

export type SubmitRow = DeltaRow & Written & { from_proposal: boolean };

/**
 * Commits a candidate with its wake-up: together with those of other accounts that are asked for
 * at the same time, or by itself when it is large or its account is busy.
 */
export type SubmissionWrites = (candidate: Candidate) => Promise<SubmitRow>;

/**
 * @param options `maxCandidates` an account may have, 1 is the protocol; `connections` of `sql`;
 *   `onCommitted` is told of every group: how many submissions shared its transaction.
 */
export function submissionWrites(
  sql: Sql,
  options: { maxCandidates: number; connections: number; onCommitted?: (size: number) => void },
): SubmissionWrites {
  const { maxCandidates, connections, onCommitted } = options;
  const about = () => sql`
    (r.about).account_id, (r.about).nonce, (r.about).status, (r.about).status_reason,
    (r.about).status_timestamp, (r.about).prev_commitment, (r.about).new_commitment,
    (r.about).payload::text as payload, (r.about).ack_scheme, (r.about).ack_pubkey,
    (r.about).ack_signature, (r.about).retry_count, (r.about).divergence_count,
    (r.about).abandon_requested_at, (r.about).abandon_confirm_count,
    (r.about).proposal is not null as from_proposal`;
  return groupSubmissions<Candidate, SubmitRow>({
    account: (candidate) => candidate.account_id,
    // hex digits and escaped quotes: what is sent may be twice as long
    size: ({ payload, state }) => 2 * (payload.length + (state?.length ?? 0)),
    connections,
    ...(onCommitted && { onCommitted }),
    together: async (candidates) => {
      const items = candidates.map(({ state, ...rest }) => ({ ...rest, state: byteaText(state) }));
      const rows = await sql<SubmitRow[]>`
        select r.outcome, r.refusal, ${about()}
        from guardian.submit_deltas(${rowsAsJson(items)}::text::json, ${maxCandidates}) r`;
      return rows.map((row) => (row.outcome === 'busy' ? null : row));
    },
    alone: async (c) => {
      const [row] = await sql<SubmitRow[]>`
        select r.outcome, guardian.refusal_details(${c.account_id}, r.outcome) as refusal,
          ${about()}
        from guardian.submit_delta(
          ${c.account_id}, ${c.auth_version}, ${c.signer}, ${c.timestamp}, ${c.verdict},
          ${c.nonce}, ${c.prev_commitment}, ${c.new_commitment}, ${c.summary_commitment},
          ${c.payload}::text::json, ${c.ack_scheme}, ${c.ack_pubkey}, ${c.ack_signature},
          ${c.state}, ${c.signers}, ${c.bound_here}, ${c.queue_name}, ${maxCandidates}) r`;
      if (!row) throw new ServiceError('storage_error');
      return row;
    },
  });
}

/** As Postgres reads a bytea. */
const byteaText = (bytes: Uint8Array | null): string | null =>
  bytes && `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
