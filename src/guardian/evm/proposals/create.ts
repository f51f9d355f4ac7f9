import * as v from 'valibot';
import { encodeAbiParameters, keccak256 } from 'viem/utils';
import { ServiceError } from '../../../errors.ts';
import {
  authorize,
  chainOf,
  gateOf,
  loadAccount,
  refusalOf,
  type Refusal,
  type StoredAccount,
} from '../accounts.ts';
import type { Multisig } from '../chain/chain.ts';
import type { EvmContext } from '../context.ts';
import { parseAccountId, type Hex } from '../values.ts';
import { markUsedNonces, questionedProposals } from './nonces.ts';
import { readActive } from './read.ts';
import { signedBy } from './signature.ts';
import { proposalBody, type ProposalRow } from './wire.ts';

type ProposalBody = v.InferOutput<typeof proposalBody>;

/**
 * POST /evm/proposals: stores a user operation with its proposer's signature (protocol §1.10, E5).
 * An active proposal of the same id is answered as it stands.
 * @throws ServiceError
 */
export async function createProposal(
  context: EvmContext,
  session: Hex,
  body: unknown,
): Promise<ProposalRow> {
  const parsed = v.safeParse(proposalBody, body);
  if (!parsed.success) {
    const path = v.getDotPath(parsed.issues[0]) ?? 'body';
    throw new ServiceError('invalid_evm_proposal', `The field ${path} is not valid.`);
  }
  const proposal = parsed.output;
  const { accountId } = parseAccountId(proposal.account_id);
  const account = await loadAccount(context, accountId);
  const gate = gateOf(account);
  if (gate) throw gate;
  if (!(await signedBy(session, proposal.user_op_hash, proposal.signature))) {
    throw new ServiceError('invalid_proposal_signature');
  }
  const chain = chainOf(context, account.chain_id);
  const [multisig, next] = await Promise.all([
    authorize(chain, account.address, account.validator, session),
    chain.nextNonce(account.address, proposal.nonce >> 64n),
  ]);
  if (proposal.nonce < next) {
    throw new ServiceError('invalid_evm_proposal', 'The nonce is already used.');
  }
  const proposalId = identify(account, proposal);
  const store = () =>
    storeProposal(context, { accountId, proposalId, session, account, multisig, proposal });
  let outcome = await store();
  if (outcome === 'pending_proposals_limit') {
    // executed ones count until somebody looks
    await markUsedNonces(context, account, await questionedProposals(context, session, accountId));
    outcome = await store();
  }
  if (outcome !== 'stored') throw await refusalOf(context, accountId, outcome);
  const [row] = await readActive(context, accountId, proposalId);
  if (!row) throw new ServiceError('proposal_not_found');
  return row;
}

const identity = [
  { name: 'chain id', type: 'uint256' },
  { name: 'account', type: 'address' },
  { name: 'validator', type: 'address' },
  { name: 'hash of the user operation', type: 'bytes32' },
  { name: 'nonce', type: 'uint256' },
] as const;

/** The id follows from what is proposed (protocol §1.10), so that proposing again is no other. */
function identify(account: StoredAccount, proposal: ProposalBody): Hex {
  return keccak256(
    encodeAbiParameters(identity, [
      BigInt(account.chain_id),
      account.address,
      account.validator,
      proposal.user_op_hash,
      proposal.nonce,
    ]),
  );
}

async function storeProposal(
  context: EvmContext,
  given: {
    accountId: string;
    proposalId: Hex;
    session: Hex;
    account: StoredAccount;
    multisig: Multisig;
    proposal: ProposalBody;
  },
): Promise<'stored' | Refusal> {
  const { account, proposal, multisig } = given;
  const payload = context.storage.sealProposal(given.accountId, given.proposalId, proposal.payload);
  const [row] = await context.sql<{ outcome: 'stored' | Refusal }[]>`
    select guardian.create_evm_proposal(
      ${given.accountId}, ${given.proposalId}, ${account.validator}, ${proposal.user_op_hash},
      ${payload}, ${String(proposal.nonce)}::text::numeric, ${given.session},
      ${multisig.signers}::text[], ${multisig.threshold}, ${proposal.signature},
      ${proposal.ttl_seconds}, ${context.maxActiveProposals}) as outcome`;
  if (!row) throw new Error('create_evm_proposal returned nothing');
  return row.outcome;
}
