import * as v from 'valibot';
import { ServiceError } from '../../../errors.ts';
import { evmLimits } from '../../../limits.ts';
import { chainOf, loadAccount, type StoredAccount } from '../accounts.ts';
import type { EvmContext } from '../context.ts';
import { bytes32, parseAccountId, type Hex } from '../values.ts';
import type { ProposalRow } from './wire.ts';

/** @throws ServiceError `proposal_not_found`: what is no id names no proposal */
export function parseProposalId(value: unknown): Hex {
  const parsed = v.safeParse(bytes32, value);
  if (!parsed.success) throw new ServiceError('proposal_not_found');
  return parsed.output;
}

/** Proposals that have not expired and whose nonce was last seen unused; oldest first. */
export async function readActive(
  context: EvmContext,
  accountId: string,
  proposalId: Hex | null,
): Promise<ProposalRow[]> {
  const rows = await context.sql<ProposalRow[]>`
    select p.account_id, p.chain_id::float8 as chain_id, p.address, p.proposal_id, p.validator,
           p.user_op_hash, p.payload, p.nonce, p.nonce_key, p.proposer, p.signer_snapshot,
           p.threshold, p.created_at, p.expires_at, p.signatures
    from guardian.active_evm_proposals(${accountId}, ${proposalId}) p`;
  const { storage } = context;
  return rows.map((row) => ({
    ...row,
    payload: storage.openProposal(accountId, row.proposal_id, row.payload),
  }));
}

/**
 * Marks the proposals whose nonce the EntryPoint has passed: they cannot be executed any more.
 * @param keys upper 192 bits of the nonces in question.
 * @throws EvmChainError
 */
export async function markUsedNonces(
  context: EvmContext,
  accountId: string,
  account: StoredAccount,
  keys: Iterable<string>,
): Promise<void> {
  const chain = chainOf(context, account.chain_id);
  const waiting = [...new Set(keys)];
  const next = new Map<string, string>();
  const ask = async () => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      next.set(key, String(await chain.nextNonce(account.address, BigInt(key))));
    }
  };
  await Promise.all(Array.from({ length: evmLimits.nonceLookups }, ask));
  if (next.size === 0) return;
  await context.sql`select guardian.mark_used_evm_nonces(${accountId},
    ${[...next.keys()]}::text[]::numeric[], ${[...next.values()]}::text[]::numeric[])`;
}

/**
 * GET /evm/proposals: the active proposals of an account (protocol §1.10, E6).
 * @throws ServiceError `signer_not_authorized` when the caller may not see one of them
 */
export async function listProposals(
  context: EvmContext,
  session: Hex,
  account: string | undefined,
): Promise<ProposalRow[]> {
  const { accountId } = parseAccountId(account);
  const stored = await loadAccount(context, accountId);
  const keys = await unexpiredKeys(context, accountId);
  await markUsedNonces(context, accountId, stored, keys);
  const rows = await readActive(context, accountId, null);
  for (const row of rows) assertMember(row, session);
  return rows;
}

/**
 * An active proposal, for a caller in its signer snapshot (E7). The EntryPoint is asked for its
 * nonce.
 * @throws ServiceError `proposal_not_found`, `signer_not_authorized`
 */
export async function readProposal(
  context: EvmContext,
  session: Hex,
  account: unknown,
  proposal: unknown,
): Promise<ProposalRow> {
  const { accountId } = parseAccountId(account);
  const proposalId = parseProposalId(proposal);
  const stored = await loadAccount(context, accountId);
  const keys = await unexpiredKeys(context, accountId, proposalId);
  await markUsedNonces(context, accountId, stored, keys);
  const [row] = await readActive(context, accountId, proposalId);
  if (!row) throw new ServiceError('proposal_not_found');
  assertMember(row, session);
  return row;
}

/**
 * GET /evm/proposals/{id}/executable (E9).
 * @throws ServiceError `insufficient_signatures`
 */
export async function readExecutable(
  context: EvmContext,
  session: Hex,
  account: unknown,
  proposal: unknown,
): Promise<ProposalRow> {
  const row = await readProposal(context, session, account, proposal);
  if (row.signatures.length < row.threshold) throw new ServiceError('insufficient_signatures');
  return row;
}

/** Nonce keys of proposals that have not expired, those marked as used included. */
export async function unexpiredKeys(
  context: EvmContext,
  accountId: string,
  proposalId: Hex | null = null,
): Promise<string[]> {
  const rows = await context.sql<{ nonce_key: string }[]>`
    select distinct nonce_key::text as nonce_key from guardian.evm_proposal
    where account_id = ${accountId} and expires_at > clock_timestamp()
      and (${proposalId}::text is null or proposal_id = ${proposalId})`;
  return rows.map(({ nonce_key }) => nonce_key);
}

function assertMember(row: ProposalRow, session: Hex): void {
  if (!row.signer_snapshot.includes(session)) throw new ServiceError('signer_not_authorized');
}
