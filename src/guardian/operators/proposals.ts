import type { Context } from 'hono';
import type { JsonValue } from '../authentication/canonical-json.ts';
import { ServiceError } from '../../errors.ts';
import { requireNamedAccount } from './account-id.ts';
import type { OperatorContext } from './context.ts';
import { readPage } from './pages.ts';
import { readProposalMetadata } from './delta-payload.ts';
import { openedOrNull } from './sealed.ts';
import { operatorLimits } from '../../limits.ts';

interface ProposalRow {
  account_id: string;
  commitment: string;
  nonce: bigint;
  proposer: string;
  created_at: Date;
  /** `created_at` in full precision. */
  position: string;
  prev_commitment: string;
  collected: bigint;
  required: bigint;
  proposal_type: string | null;
  /** The sealed document, where the type is inside. */
  sealed: string | null;
}

/** The highest nonce, and above every commitment. */
const startOfAccount: readonly [nonce: string, commitment: string] = [String(2n ** 63n - 1n), 'g'];
const startOfAll: readonly [at: string, account: string, nonce: string, commitment: string] = [
  'infinity',
  '',
  '0',
  '',
];

/**
 * GET /dashboard/accounts/{id}/proposals: pending proposals of an account, by nonce, the highest
 * first (protocol §1.5, O11). EVM accounts have none here.
 * @throws ServiceError `account_not_found`, `invalid_limit`, `invalid_cursor`
 */
export async function listAccountProposals(c: Context, context: OperatorContext) {
  const { accountId } = requireNamedAccount(c);
  const page = readPage(c, context.cursors, `operators:proposals:${accountId}`, startOfAccount);
  const [nonce, commitment] = page.after;
  const rows = await context.sql<(ProposalRow & { known: boolean })[]>`
    select k.known, p.*, ${sealed(context)} from
      (select exists (select 1 from guardian.listed_account(${accountId})) as known) k
    left join guardian.account_proposals(
      ${accountId}, ${nonce}::text::bigint, ${commitment}, ${page.limit + 1}) p on k.known
    order by p.nonce desc, p.commitment desc`;
  if (!rows[0]?.known) throw new ServiceError('account_not_found');
  const found = rows.filter((row) => row.commitment !== null);
  return page.envelope(
    found,
    (row) => itemOf(context, row),
    (row) => [String(row.nonce), row.commitment],
  );
}

/**
 * GET /dashboard/proposals: pending proposals of all accounts, the newest first (O13).
 * @throws ServiceError `invalid_limit`, `invalid_cursor`
 */
export async function listProposals(c: Context, context: OperatorContext) {
  const page = readPage(c, context.cursors, 'operators:proposals', startOfAll);
  const [at, account, nonce, commitment] = page.after;
  const rows = await context.sql<ProposalRow[]>`
    select p.*, ${sealed(context)} from guardian.pending_proposals(${at}::text::timestamptz, ${account},
      ${nonce}::text::bigint, ${commitment}, ${page.limit + 1}) p
    order by p.created_at desc, p.account_id, p.nonce, p.commitment`;
  return page.envelope(
    rows,
    (row): JsonValue => ({ ...itemOf(context, row), account_id: row.account_id }),
    (row) => [row.position, row.account_id, String(row.nonce), row.commitment],
  );
}

/** `signatures_required` is the number of cosigners, as upstream has it, not the threshold. */
function itemOf(context: OperatorContext, row: ProposalRow): { [key: string]: JsonValue } {
  const type = row.proposal_type ?? sealedType(context, row);
  return {
    commitment: row.commitment,
    nonce: row.nonce,
    proposer_id: row.proposer,
    originating_timestamp: row.created_at.toISOString(),
    signatures_collected: row.collected,
    signatures_required: row.required,
    prev_commitment: row.prev_commitment,
    new_commitment: null,
    ...(type === null ? {} : { proposal_type: type }),
  };
}

/** Column of a listed proposal `p`. */
function sealed({ sql, storage }: OperatorContext) {
  const longest = storage.storedBytes(operatorLimits.listedDocumentBytes);
  return sql`(
    select guardian.sealed_document(o.payload, ${longest}) from guardian.proposal o
    where o.account_id = p.account_id and o.commitment = p.commitment) as sealed`;
}

function sealedType(context: OperatorContext, row: ProposalRow): string | null {
  const { account_id: accountId, commitment, sealed: document } = row;
  if (document === null) return null;
  const metadata = openedOrNull(context, accountId, () =>
    context.storage.openMetadata(accountId, commitment, document),
  );
  const type = readProposalMetadata(metadata).proposal?.['proposal_type'];
  return typeof type === 'string' ? type : null;
}
