/**
 * What a stored delta says. Payload and proposal are documents of a client's making: whatever
 * cannot be read becomes a warning, never a failure.
 */
import { decodeBase64 } from '../accounts/wire.ts';
import { ServiceError } from '../../errors.ts';
import { InvalidJsonError, parseJson, type JsonValue } from '../authentication/canonical-json.ts';

/** Protocol §1.4, C9. */
export interface DecodeWarning {
  section: 'tx_summary' | 'metadata';
  reason: string;
}

interface Payload {
  /** Base64 as it was sent; null when there is none. */
  data: string | null;
  summary: Uint8Array | null;
  warnings: DecodeWarning[];
}

type JsonObject = { readonly [key: string]: JsonValue };

function objectOf(text: string | null): JsonObject | null {
  if (text === null) return null;
  try {
    const value = parseJson(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : null;
  } catch (error) {
    if (error instanceof InvalidJsonError) return null;
    throw error;
  }
}

/** @param text JSON text of `delta_payload`. */
export function readPayload(text: string): Payload {
  const data = objectOf(text)?.['data'];
  if (typeof data !== 'string') return unreadable('missing_data_field', null);
  try {
    return { data, summary: decodeBase64(data, 'invalid_delta'), warnings: [] };
  } catch (error) {
    if (error instanceof ServiceError) return unreadable('malformed_base64', data);
    throw error;
  }
}

function unreadable(reason: string, data: string | null): Payload {
  return { data, summary: null, warnings: [{ section: 'tx_summary', reason }] };
}

const texts = [
  'description',
  'salt',
  'recipient_id',
  'faucet_id',
  'amount',
  'note_type',
  'new_guardian_pubkey',
  'new_guardian_endpoint',
  'target_procedure',
];
const counts = ['required_signatures', 'consume_notes_metadata_version', 'target_threshold'];
const heights = ['reclaim_height', 'timelock_height'];
const lists = ['note_ids', 'consume_notes_notes', 'signer_commitments'];

const isInteger = (least: bigint, most: bigint) => (value: JsonValue) =>
  typeof value === 'bigint' && value >= least && value <= most;
const isText = (value: JsonValue) => typeof value === 'string';

/** The members that clients know, each with what it must be; others are left out. */
const known = new Map<string, (value: JsonValue) => boolean>([
  ...texts.map((name) => [name, isText] as const),
  ...counts.map((name) => [name, isInteger(0n, BigInt(Number.MAX_SAFE_INTEGER))] as const),
  // a height of zero means none on chain (protocol §1.2)
  ...heights.map((name) => [name, isInteger(1n, 0xffff_ffffn)] as const),
  ...lists.map(
    (name) => [name, (value: JsonValue) => Array.isArray(value) && value.every(isText)] as const,
  ),
]);

/**
 * What the proposal said of itself, as far as it has the form of the protocol (§1.2).
 * @param text JSON text of its metadata, or null: the delta was not pushed from a proposal.
 */
export function readProposalMetadata(text: string | null): {
  proposal: JsonObject | null;
  warnings: DecodeWarning[];
} {
  if (text === null) return { proposal: null, warnings: [] };
  const metadata = objectOf(text);
  const type = metadata?.['proposal_type'];
  if (!metadata || typeof type !== 'string') {
    return { proposal: null, warnings: [{ section: 'metadata', reason: 'malformed_metadata' }] };
  }
  const members = Object.entries(metadata).filter(([name, value]) => known.get(name)?.(value));
  return { proposal: { proposal_type: type, ...Object.fromEntries(members) }, warnings: [] };
}
