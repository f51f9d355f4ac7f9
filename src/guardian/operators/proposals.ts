import type { Context } from 'hono';
import type { JsonValue } from '../authentication/canonical-json.ts';
import { ServiceError } from '../../errors.ts';
import { requireNamedAccount } from './account-id.ts';
import type { OperatorContext } from './context.ts';
import { readPage } from './pages.ts';

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
    select k.known, p.* from
      (select exists (select 1 from guardian.listed_account(${accountId})) as known) k
    left join guardian.account_proposals(
      ${accountId}, ${nonce}::text::bigint, ${commitment}, ${page.limit + 1}) p on k.known
    order by p.nonce desc, p.commitment desc`;
  if (!rows[0]?.known) throw new ServiceError('account_not_found');
  const found = rows.filter((row) => row.commitment !== null);
  return page.envelope(found, itemOf, (row) => [String(row.nonce), row.commitment]);
}

/**
 * GET /dashboard/proposals: pending proposals of all accounts, the newest first (O13).
 * @throws ServiceError `invalid_limit`, `invalid_cursor`
 */
export async function listProposals(c: Context, context: OperatorContext) {
  const page = readPage(c, context.cursors, 'operators:proposals', startOfAll);
  const [at, account, nonce, commitment] = page.after;
  const rows = await context.sql<ProposalRow[]>`
    select * from guardian.pending_proposals(${at}::text::timestamptz, ${account},
      ${nonce}::text::bigint, ${commitment}, ${page.limit + 1})`;
  return page.envelope(
    rows,
    (row): JsonValue => ({ ...itemOf(row), account_id: row.account_id }),
    (row) => [row.position, row.account_id, String(row.nonce), row.commitment],
  );
}

/** `signatures_required` is the number of cosigners, as upstream has it, not the threshold. */
function itemOf(row: ProposalRow): { [key: string]: JsonValue } {
  return {
    commitment: row.commitment,
    nonce: row.nonce,
    proposer_id: row.proposer,
    originating_timestamp: row.created_at.toISOString(),
    signatures_collected: row.collected,
    signatures_required: row.required,
    prev_commitment: row.prev_commitment,
    new_commitment: null,
    ...(row.proposal_type === null ? {} : { proposal_type: row.proposal_type }),
  };
}
