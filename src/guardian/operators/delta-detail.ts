import type { Context } from 'hono';
import { ServiceError } from '../../errors.ts';
import type { JsonValue } from '../authentication/canonical-json.ts';
import { namedAccount } from './account-id.ts';
import type { OperatorContext } from './context.ts';
import { readPayload, readProposalMetadata, type DecodeWarning } from './delta-payload.ts';
import { openedDocuments } from './sealed.ts';
import { categoryOf, factsOf, type DeltaFacts } from './deltas.ts';

interface DeltaDetailRow extends DeltaFacts {
  payload: string;
  proposal: string | null;
  base_matches: boolean;
}

/**
 * GET /dashboard/accounts/{id}/deltas/{nonce}: what one delta does (protocol §1.5, O10). Parts that
 * cannot be read are empty and named in `decode_warnings`.
 * @throws ServiceError `invalid_input` for another spelling of the nonce; `delta_not_found`
 *   whether account or nonce is unknown
 */
export async function readDeltaDetail(c: Context, context: OperatorContext): Promise<JsonValue> {
  const nonce = parseNonce(c.req.param('nonce'));
  const named = namedAccount(c);
  if (!named || nonce > 2n ** 63n - 1n) throw new ServiceError('delta_not_found');
  const [row] = await context.sql<DeltaDetailRow[]>`
    select d.account_id, d.nonce, d.status, d.status_reason, d.status_timestamp,
           d.prev_commitment, d.new_commitment, d.summary_commitment, d.retry_count, d.payload::text as payload,
           d.proposal::text as proposal, a.commitment = d.prev_commitment as base_matches
    from guardian.delta d join guardian.account a using (account_id)
    where d.account_id = ${named.accountId} and d.nonce = ${nonce}`;
  if (!row) throw new ServiceError('delta_not_found');
  return describeRow(context, row, includesRaw(c.req.query('include')));
}

/** Canonical decimal within 64 bits. @throws ServiceError `invalid_input` */
function parseNonce(text: string | undefined): bigint {
  if (text && /^(?:0|[1-9]\d{0,19})$/.test(text) && BigInt(text) < 2n ** 64n) return BigInt(text);
  throw new ServiceError('invalid_input', 'The nonce must be a whole number of 64 bits.');
}

const includesRaw = (text: string | undefined) => text?.split(',').includes('raw') ?? false;

async function describeRow(
  context: OperatorContext,
  row: DeltaDetailRow,
  raw: boolean,
): Promise<JsonValue> {
  const { payload: document, proposal: metadata } = openedDocuments(context, row);
  const payload = readPayload(document);
  const { proposal, warnings: aboutProposal } = readProposalMetadata(metadata);
  const [described = null] = payload.summary
    ? await context.describeSummaries([payload.summary])
    : [];
  const warnings: DecodeWarning[] = [...payload.warnings, ...aboutProposal];
  if (payload.summary && !described) {
    warnings.push({ section: 'tx_summary', reason: 'malformed_tx_summary' });
  }
  if (raw && payload.data === null) {
    warnings.push({ section: 'tx_summary', reason: 'raw_unavailable' });
  }
  const category = categoryOf(described);
  return {
    account_id: row.account_id,
    ...factsOf(row),
    ...(row.status === 'retained' ? retention(context, row) : {}),
    ...(category === null ? {} : { category }),
    ...(proposal === null ? {} : { proposal }),
    input_notes: [],
    output_notes: [],
    vault_changes: [],
    storage_changes: (described?.storage ?? []).map(({ slot, key, after }) => ({
      slot_name: slot,
      ...(key === undefined ? {} : { key }),
      after,
    })),
    ...(warnings.length === 0
      ? {}
      : { decode_warnings: warnings.map(({ section, reason }) => ({ section, reason })) }),
    ...(raw && payload.data !== null ? { raw_transaction_summary: payload.data } : {}),
  };
}

/** Until when a retained delta may still become canonical, and whether it could now. */
function retention({ service }: OperatorContext, row: DeltaDetailRow) {
  const expires = row.status_timestamp.getTime() + service.retainedTtlSeconds * 1_000;
  return {
    retained_expires_at: new Date(expires).toISOString(),
    base_matches_stored_state: row.base_matches,
  };
}
