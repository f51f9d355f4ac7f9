import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { commitmentText } from '../accounts/wire.ts';
import { parseJson, type JsonValue } from '../authentication/canonical-json.ts';
import { anyJson, anyObject, storedNonce, timeText } from '../wire-values.ts';

/** A cosigner's signature over the commitment of a transaction summary (protocol §1.2). */
const proposalSignature = v.union([
  v.object({ scheme: v.literal('falcon'), signature: v.string() }),
  v.object({
    scheme: v.literal('ecdsa'),
    signature: v.string(),
    public_key: v.optional(v.nullable(v.string())),
  }),
]);

export type ProposalSignature = v.InferOutput<typeof proposalSignature>;

/** Body of POST /delta/proposal as far as it is looked at; further members are kept. */
export const proposalBody = v.object({
  account_id: v.string(),
  nonce: storedNonce,
  delta_payload: v.unknown(),
});

/** Body of PUT /delta/proposal. */
export const signBody = v.object({
  account_id: v.string(),
  commitment: v.string(),
  signature: proposalSignature,
});

const positive = v.pipe(v.bigint(), v.minValue(1n));
const metadata = v.looseObject({
  proposal_type: v.pipe(v.string(), v.trim(), v.minLength(1)),
  description: v.optional(v.nullable(v.string())),
  required_signatures: v.optional(v.nullable(positive)),
  amount: v.optional(v.nullable(v.union([v.string(), v.bigint(), v.number()]))),
});
const payload = v.looseObject({
  tx_summary: v.looseObject({ data: v.string() }),
  signatures: v.optional(
    v.array(v.object({ signer_id: v.string(), signature: proposalSignature })),
    [],
  ),
  metadata,
});

/** What a body of POST /delta/proposal has to be in full. */
export const proposalBodyInFull = v.object({ ...proposalBody.entries, delta_payload: payload });

export interface NormalizedProposal {
  /** Base64 of the serialized summary. */
  summary: string;
  signatures: { signer_id: string; signature: ProposalSignature }[];
  /** `delta_payload` without its signatures, normalized. */
  payload: JsonValue;
}

/**
 * Normalizes a proposal's payload (protocol §1.4, C10): the type is trimmed, the description
 * defaults to empty, a numeric amount becomes text.
 * @throws ServiceError `invalid_delta`
 */
export function normalizeProposal(value: unknown): NormalizedProposal {
  const parsed = v.safeParse(payload, value);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    const path = v.getDotPath(issue) ?? '';
    throw new ServiceError('invalid_delta', `The field delta_payload.${path} is not valid.`);
  }
  const { signatures, tx_summary: summary, metadata: known } = parsed.output;
  const { amount, ...about } = known;
  // as it was signed: what a schema returns lacks members such as `constructor`
  const { signatures: _signatures, metadata: given, ...members } = value as GivenPayload;
  const { amount: _amount, ...remarks } = given;
  const normalized = {
    ...members,
    metadata: {
      ...remarks,
      ...about,
      description: about.description ?? '',
      ...(amount === undefined || amount === null ? {} : { amount: String(amount) }),
    },
  };
  // the members of a parsed JSON value are JSON values
  return { summary: summary.data, signatures, payload: normalized as unknown as JsonValue };
}

/** A payload that the schema has found in order. */
interface GivenPayload {
  signatures: unknown;
  metadata: Record<string, unknown>;
}

/** A pending proposal as the database holds it. */
export interface ProposalRow {
  account_id: string;
  commitment: string;
  nonce: bigint;
  prev_commitment: string;
  proposer: string;
  /** JSON text. */
  payload: string;
  /** JSON text: [{ signer_id, signature, timestamp }] in the order of signing. */
  signatures: string;
  created_at: Date | string;
}

const nothing = v.literal('');

/** DeltaObject in proposal form (protocol §1.2); acknowledged is only what is executed. */
export const proposalAnswer = v.object({
  account_id: v.string(),
  nonce: storedNonce,
  prev_commitment: commitmentText,
  delta_payload: anyObject,
  ack_sig: nothing,
  ack_pubkey: nothing,
  ack_scheme: nothing,
  status: v.object({
    status: v.literal('pending'),
    timestamp: timeText,
    proposer_id: commitmentText,
    cosigner_sigs: v.array(
      v.object({ signer_id: commitmentText, signature: anyJson, timestamp: v.string() }),
    ),
  }),
});

/** Answer of POST /delta/proposal. */
export const createdAnswer = v.object({ delta: proposalAnswer, commitment: commitmentText });

/** Answer of GET /delta/proposal. */
export const proposalsAnswer = v.object({ proposals: v.array(proposalAnswer) });

/** DeltaObject in proposal form (protocol §1.2). */
export function proposalObject(row: ProposalRow): v.InferOutput<typeof proposalAnswer> {
  const signatures = parseJson(row.signatures) as {
    signer_id: string;
    signature: JsonValue;
    timestamp: string;
  }[];
  return {
    account_id: row.account_id,
    nonce: row.nonce,
    prev_commitment: row.prev_commitment,
    delta_payload: {
      ...(parseJson(row.payload) as Record<string, JsonValue>),
      signatures: signatures.map(({ signer_id, signature }) => ({ signer_id, signature })),
    },
    ack_sig: '',
    ack_pubkey: '',
    ack_scheme: '',
    status: {
      status: 'pending',
      timestamp: new Date(row.created_at).toISOString(),
      proposer_id: row.proposer,
      cosigner_sigs: signatures,
    },
  };
}
