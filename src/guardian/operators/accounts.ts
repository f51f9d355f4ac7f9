import type { Context } from 'hono';
import { ServiceError } from '../../errors.ts';
import { UnverifiableError } from '../networks/network.ts';
import { requireNamedAccount, type NamedAccount } from './account-id.ts';
import type { OperatorContext } from './context.ts';
import { readPage } from './pages.ts';

interface AccountRow {
  account_id: string;
  auth_scheme: string;
  signers: string[];
  has_pending_candidate: boolean;
  commitment: string | null;
  created_at: Date;
  updated_at: Date;
  /** `updated_at` in full precision. */
  position: string;
  paused_at: Date | null;
  paused_reason: string | null;
  released_at: Date | null;
  state_created_at: Date | null;
  state_updated_at: Date | null;
}

const start: readonly [at: string, accountId: string] = ['infinity', ''];

/**
 * GET /dashboard/accounts: Miden and EVM accounts, those changed last first (protocol §1.5, O6).
 * A promotion alone does not move an account: it changes its state, not what is known about it.
 * @throws ServiceError `invalid_limit`, `invalid_cursor`, `invalid_input`
 */
export async function listAccounts(c: Context, context: OperatorContext) {
  const paused = parsePaused(c.req.query('paused'));
  const page = readPage(c, context.cursors, 'operators:accounts', start);
  const [at, id] = page.after;
  const rows = await context.sql<AccountRow[]>`
    select * from guardian.listed_accounts(
      ${paused}, ${at}::text::timestamptz, ${id}, ${page.limit + 1})`;
  return page.envelope(rows, summaryOf, (row) => [row.position, row.account_id]);
}

/** @throws ServiceError `invalid_input` */
function parsePaused(text: string | undefined): boolean | null {
  if (text === undefined || text === '') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  throw new ServiceError('invalid_input', 'paused must be true or false.');
}

/**
 * GET /dashboard/accounts/{id} (O7).
 * @throws ServiceError `account_not_found`
 */
export async function readAccount(c: Context, context: OperatorContext) {
  const row = await findAccount(context, requireNamedAccount(c));
  return {
    ...summaryOf(row),
    authorized_signer_ids: [...new Set(row.signers)].toSorted(),
    state_created_at: row.state_created_at?.toISOString() ?? null,
    state_updated_at: row.state_updated_at?.toISOString() ?? null,
  };
}

async function findAccount(
  { sql }: OperatorContext,
  { accountId }: NamedAccount,
): Promise<AccountRow> {
  const [row] = await sql<AccountRow[]>`select * from guardian.listed_account(${accountId})`;
  if (!row) throw new ServiceError('account_not_found');
  return row;
}

/** EVM accounts have no state here: the chain knows their signers. */
function summaryOf(row: AccountRow) {
  return {
    account_id: row.account_id,
    auth_scheme: row.auth_scheme,
    authorized_signer_count: new Set(row.signers).size,
    has_pending_candidate: row.has_pending_candidate,
    current_commitment: row.commitment,
    state_status: row.commitment === null ? 'unavailable' : 'available',
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    paused_at: row.paused_at?.toISOString() ?? null,
    paused_reason: row.paused_reason,
    released_at: row.released_at?.toISOString() ?? null,
  };
}

/**
 * GET /dashboard/accounts/{id}/snapshot: the vault of the canonical state (O8). Accounts with
 * assets are refused when they are configured, so the vault of one that can be read is empty.
 * @throws ServiceError `account_not_found`, `unsupported_for_network`, and
 *   `account_data_unavailable` for a state that cannot be read
 */
export async function readSnapshot(c: Context, context: OperatorContext) {
  const named = requireNamedAccount(c);
  const row = await findAccount(context, named);
  if (named.kind === 'evm') throw new ServiceError('unsupported_for_network');
  const [stored] = await context.sql<{ state: Uint8Array; commitment: string; at: Date }[]>`
    select state, commitment, updated_at as at
    from guardian.account where account_id = ${named.accountId}`;
  if (!stored) throw new ServiceError('account_data_unavailable');
  try {
    await context.network.inspectAccount(context.storage.openState(named.accountId, stored.state));
  } catch (cause) {
    if (!(cause instanceof UnverifiableError)) throw cause;
    throw new ServiceError('account_data_unavailable', undefined, { cause });
  }
  return {
    commitment: stored.commitment,
    updated_at: stored.at.toISOString(),
    has_pending_candidate: row.has_pending_candidate,
    vault: { fungible: [], non_fungible: [] },
  };
}
