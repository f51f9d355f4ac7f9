import * as v from 'valibot';
import { ServiceError } from '../../../errors.ts';
import { chainOf, loadAccount, type StoredAccount } from '../accounts.ts';
import type { EvmContext } from '../context.ts';
import { bytes32, parseAccountId, type Hex } from '../values.ts';
import { listedAtMost, markUsedNonces, questionedProposals } from './nonces.ts';
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
    from guardian.active_evm_proposals(${accountId}, ${proposalId}) p
    limit ${listedAtMost(context)}`;
  const { storage } = context;
  return rows.map((row) => ({
    ...row,
    payload: storage.openProposal(accountId, row.proposal_id, row.payload),
  }));
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
  const questioned = await questionedProposals(context, session, accountId);
  if (!questioned.some(({ member }) => member)) {
    if (questioned.every(({ used }) => used)) return [];
    await assertSigner(context, stored, session);
  }
  await markUsedNonces(context, stored, questioned);
  const rows = await readActive(context, accountId, null);
  for (const row of rows) assertMember(row.signer_snapshot, session);
  return rows;
}

/**
 * An active proposal, for a caller in its signer snapshot (E7). The EntryPoint is asked for its
 * nonce, but not for anybody else.
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
  const questioned = await questionedProposals(context, session, accountId, proposalId);
  const [found] = questioned;
  if (!found || (found.used && !found.member)) throw new ServiceError('proposal_not_found');
  if (!found.member) throw new ServiceError('signer_not_authorized');
  await markUsedNonces(context, stored, questioned);
  const [row] = await readActive(context, accountId, proposalId);
  if (!row) throw new ServiceError('proposal_not_found');
  assertMember(row.signer_snapshot, session);
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

/**
 * Whoever is in no snapshot may be a signer of today, to whom proposals of before are in the way
 * until the chain has been asked about them. For others it is not asked so often.
 * @throws ServiceError `signer_not_authorized`
 */
async function assertSigner(
  context: EvmContext,
  account: StoredAccount,
  session: Hex,
): Promise<void> {
  const chain = chainOf(context, account.chain_id);
  const multisig = await chain.readMultisig(account.address, account.validator);
  assertMember(multisig?.signers ?? [], session);
}

function assertMember(signers: readonly Hex[], session: Hex): void {
  if (!signers.includes(session)) throw new ServiceError('signer_not_authorized');
}
