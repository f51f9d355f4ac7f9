import * as v from 'valibot';
import { commitmentText } from '../accounts/wire.ts';
import { parseJson } from '../authentication/canonical-json.ts';
import { anyJson, anyObject, storedNonce, timeText } from '../wire-values.ts';

/** A delta as the database holds it, in the columns a response needs. */
export interface DeltaRow {
  account_id: string;
  nonce: bigint;
  status: 'candidate' | 'canonical' | 'retained' | 'discarded';
  status_reason: string | null;
  status_timestamp: Date | string;
  prev_commitment: string;
  new_commitment: string;
  /** JSON text exactly as it was accepted. */
  payload: string;
  ack_scheme: string;
  ack_pubkey: string;
  ack_signature: string;
  retry_count: number;
  divergence_count: number;
  abandon_requested_at: Date | string | null;
  abandon_confirm_count: number;
}

/** Body of POST /delta: the execution form of a DeltaObject (protocol §1.2). Other members are
 * allowed and signed over, but the server decides status, commitment and acknowledgement. */
export const deltaBody = v.object({
  account_id: v.string(),
  nonce: storedNonce,
  prev_commitment: commitmentText,
  delta_payload: v.looseObject({ data: v.string() }),
});

/**
 * Whether canonical JSON text holds U+0000, in a key or a value. Postgres takes it into a `json`
 * column, but then no member of that document can be read as text.
 */
export function holdsZeroCharacter(canonicalText: string): boolean {
  return /(?<!\\)(?:\\\\)*\\u0000/.test(canonicalText);
}

const count = v.pipe(v.bigint(), v.minValue(0n));

/** DeltaObject in execution form (protocol §1.2). */
export const deltaAnswer = v.object({
  account_id: v.string(),
  nonce: storedNonce,
  prev_commitment: commitmentText,
  new_commitment: commitmentText,
  delta_payload: anyObject,
  ack_sig: v.string(),
  ack_pubkey: v.string(),
  ack_scheme: v.string(),
  status: v.union([
    v.object({
      status: v.literal('candidate'),
      timestamp: timeText,
      retry_count: count,
      divergence_count: count,
      abandon_requested_at: v.exactOptional(timeText),
      abandon_confirm_count: count,
    }),
    v.object({
      status: v.picklist(['canonical', 'retained', 'discarded']),
      timestamp: timeText,
      reason: v.exactOptional(v.string()),
    }),
  ]),
});

type DeltaObject = v.InferOutput<typeof deltaAnswer>;

/** Answer of GET /delta/history. */
export const historyAnswer = v.object({
  items: v.array(
    v.object({
      nonce: storedNonce,
      status: v.literal('canonical'),
      timestamp: timeText,
      new_commitment: commitmentText,
      input_notes: v.array(anyJson),
      output_notes: v.array(anyJson),
    }),
  ),
  next_cursor: v.nullable(v.string()),
});

/** Body of POST /delta/candidate/abandon. */
export const abandonBody = v.object({ account_id: v.string(), nonce: storedNonce });

/** Answer of POST /delta/candidate/abandon. */
export const abandonAnswer = v.object({
  account_id: v.string(),
  nonce: storedNonce,
  state: v.picklist(['pending', 'abandoned', 'retained']),
  abandon_requested_at: v.exactOptional(timeText),
});

/** Response of POST /delta and GET /delta (protocol §1.2); the payload is what was accepted. */
export function deltaObject(row: DeltaRow): DeltaObject {
  return {
    account_id: row.account_id,
    nonce: row.nonce,
    prev_commitment: row.prev_commitment,
    new_commitment: row.new_commitment,
    // stored from a body in which it was an object
    delta_payload: parseJson(row.payload) as DeltaObject['delta_payload'],
    ack_sig: row.ack_signature,
    ack_pubkey: row.ack_pubkey,
    ack_scheme: row.ack_scheme,
    status: deltaStatus(row),
  };
}

function deltaStatus(row: DeltaRow): DeltaObject['status'] {
  const { status } = row;
  const timestamp = new Date(row.status_timestamp).toISOString();
  if (status === 'candidate') {
    return {
      status,
      timestamp,
      retry_count: BigInt(row.retry_count),
      divergence_count: BigInt(row.divergence_count),
      ...(row.abandon_requested_at === null
        ? {}
        : { abandon_requested_at: new Date(row.abandon_requested_at).toISOString() }),
      abandon_confirm_count: BigInt(row.abandon_confirm_count),
    };
  }
  return row.status_reason === null
    ? { status, timestamp }
    : { status, timestamp, reason: row.status_reason };
}
