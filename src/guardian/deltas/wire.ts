import * as v from 'valibot';
import { commitmentText } from '../accounts/wire.ts';
import { parseJson, type JsonValue } from '../authentication/canonical-json.ts';

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
}

/** As stored: a Postgres bigint. */
const nonce = v.pipe(v.bigint(), v.minValue(0n), v.maxValue(2n ** 63n - 1n));

/** Body of POST /delta: the execution form of a DeltaObject (protocol §1.2). Other members are
 * allowed and signed over, but the server decides status, commitment and acknowledgement. */
export const deltaBody = v.object({
  account_id: v.string(),
  nonce,
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

/** Response of POST /delta and GET /delta (protocol §1.2); the payload is what was accepted. */
export function deltaObject(row: DeltaRow): JsonValue {
  return {
    account_id: row.account_id,
    nonce: row.nonce,
    prev_commitment: row.prev_commitment,
    new_commitment: row.new_commitment,
    delta_payload: parseJson(row.payload),
    ack_sig: row.ack_signature,
    ack_pubkey: row.ack_pubkey,
    ack_scheme: row.ack_scheme,
    status: deltaStatus(row),
  };
}

function deltaStatus(row: DeltaRow): JsonValue {
  const status = { status: row.status, timestamp: new Date(row.status_timestamp).toISOString() };
  if (row.status === 'candidate') {
    return {
      ...status,
      retry_count: BigInt(row.retry_count),
      divergence_count: BigInt(row.divergence_count),
      abandon_confirm_count: 0n,
    };
  }
  return row.status_reason === null ? status : { ...status, reason: row.status_reason };
}
