import * as v from 'valibot';
import { ServiceError } from '../../../errors.ts';
import { gateOf, loadAccount, refusalOf, type Refusal } from '../accounts.ts';
import type { EvmContext } from '../context.ts';
import { parseAccountId, signature, type Hex } from '../values.ts';
import { parseProposalId, readActive, readProposal } from './read.ts';
import { signedBy } from './signature.ts';
import { approval, cancellation, type ProposalRow } from './wire.ts';

/**
 * POST /evm/proposals/{id}/approve: adds the session's signature (protocol §1.10, E8).
 * @throws ServiceError
 */
export async function approveProposal(
  context: EvmContext,
  session: Hex,
  proposal: unknown,
  body: unknown,
): Promise<ProposalRow> {
  const parsed = v.safeParse(approval, body);
  if (!parsed.success) throw new ServiceError('invalid_input', 'The body is not an approval.');
  const { accountId } = parseAccountId(parsed.output.account_id);
  const gate = gateOf(await loadAccount(context, accountId));
  if (gate) throw gate;
  const row = await readProposal(context, session, accountId, proposal);
  const signed = v.safeParse(signature, parsed.output.signature);
  const genuine = signed.success && (await signedBy(session, row.user_op_hash, signed.output));
  const outcome = await decide<'signed'>(
    context.sql`select guardian.approve_evm_proposal(${accountId}, ${row.proposal_id}, ${session},
      ${signed.success ? signed.output : ''}, ${genuine}) as outcome`,
  );
  if (outcome !== 'signed') throw await refusalOf(context, accountId, outcome);
  const [approved] = await readActive(context, accountId, row.proposal_id);
  if (!approved) throw new ServiceError('proposal_not_found');
  return approved;
}

/**
 * POST /evm/proposals/{id}/cancel: takes back a proposal, by whoever proposed it (E10). The chain
 * is not asked: taking back what was executed meanwhile changes nothing.
 * @throws ServiceError
 */
export async function cancelProposal(
  context: EvmContext,
  session: Hex,
  proposal: unknown,
  body: unknown,
): Promise<void> {
  const parsed = v.safeParse(cancellation, body);
  if (!parsed.success) throw new ServiceError('invalid_input', 'The body is not a cancellation.');
  const { accountId } = parseAccountId(parsed.output.account_id);
  const proposalId = parseProposalId(proposal);
  const outcome = await decide<'cancelled'>(
    context.sql`select guardian.cancel_evm_proposal(
      ${accountId}, ${proposalId}, ${session}) as outcome`,
  );
  if (outcome !== 'cancelled') throw await refusalOf(context, accountId, outcome);
}

async function decide<Done extends string>(
  query: PromiseLike<Iterable<unknown>>,
): Promise<Done | Refusal> {
  const [row] = [...(await query)] as { outcome: Done | Refusal }[];
  if (!row) throw new Error('the database decided nothing');
  return row.outcome;
}
