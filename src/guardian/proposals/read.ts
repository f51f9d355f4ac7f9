import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { wordText } from '../accounts/wire.ts';
import { admittedRead, admitting, type Admitted } from '../authentication/admitted-read.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import type { GuardianContext } from '../context.ts';
import type { ProposalRow } from './wire.ts';

const commitmentInAnyCase = v.pipe(v.string(), v.toLowerCase(), wordText);

/** The commitment of a summary, in lower case. @throws ServiceError `invalid_commitment` */
export function parseCommitment(value: unknown): string {
  const parsed = v.safeParse(commitmentInAnyCase, value);
  if (!parsed.success) throw new ServiceError('invalid_commitment');
  return parsed.output;
}

/**
 * GET /delta/proposal: the pending proposals of an account, by nonce.
 * @throws ServiceError
 */
export async function listProposals(
  context: GuardianContext,
  request: SignedRequest,
): Promise<ProposalRow[]> {
  const { accountId } = request;
  const rows = await admittedRead(
    context,
    request,
    (admission) => context.sql<(Admitted & ProposalRow)[]>`
      select a.*, p.account_id, p.commitment, p.nonce, p.prev_commitment, p.proposer,
             p.created_at, p.payload::text as payload,
             guardian.signatures_of(p.account_id, p.commitment)::text as signatures
      from ${admitting(context, admission)} a
      left join guardian.proposal p on a.outcome = 'ok' and p.account_id = ${accountId}
      order by p.nonce, p.commitment`,
  );
  return rows.filter((row) => row.commitment !== null).map((row) => openedProposal(context, row));
}

/**
 * GET /delta/proposal/single.
 * @throws ServiceError `proposal_not_found`
 */
export async function readProposal(
  context: GuardianContext,
  request: SignedRequest,
  commitment: string,
): Promise<ProposalRow> {
  const { accountId } = request;
  const [row] = await admittedRead(
    context,
    request,
    (admission) => context.sql<(Admitted & ProposalRow)[]>`
      select a.*, p.account_id, p.commitment, p.nonce, p.prev_commitment, p.proposer,
             p.created_at, p.payload::text as payload,
             guardian.signatures_of(p.account_id, p.commitment)::text as signatures
      from ${admitting(context, admission)} a
      left join guardian.proposal p
        on a.outcome = 'ok' and p.account_id = ${accountId} and p.commitment = ${commitment}`,
  );
  if (row.commitment === null) throw new ServiceError('proposal_not_found');
  return openedProposal(context, row);
}

/** The row with its payload as it was accepted. @throws ServiceError `account_data_unavailable` */
export function openedProposal({ storage }: GuardianContext, row: ProposalRow): ProposalRow {
  const { account_id: accountId, commitment, payload } = row;
  return { ...row, payload: storage.openProposal(accountId, commitment, payload) };
}
