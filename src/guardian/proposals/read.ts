import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { admitted } from '../authentication/authenticate.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import type { GuardianContext } from '../context.ts';
import type { ProposalRow } from './wire.ts';

const commitmentText = v.pipe(v.string(), v.toLowerCase(), v.regex(/^0x[0-9a-f]{64}$/));

/** @throws ServiceError `invalid_commitment` */
export function parseCommitment(value: unknown): string {
  const parsed = v.safeParse(commitmentText, value);
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
  const { rows } = await admitted(context, request, async (admission) => {
    const { accountId, authVersion, signer, timestamp } = admission;
    const read = await context.sql<({ outcome: string } & ProposalRow)[]>`
      select a.outcome, p.account_id, p.commitment, p.nonce, p.prev_commitment, p.proposer,
             p.created_at, p.payload::text as payload,
             guardian.signatures_of(p.account_id, p.commitment)::text as signatures
      from guardian.admit(${accountId}, ${authVersion}, ${signer}, ${timestamp}) a (outcome)
      left join guardian.proposal p on a.outcome = 'ok' and p.account_id = ${accountId}
      order by p.nonce, p.commitment`;
    return { outcome: read[0]?.outcome ?? 'storage_error', rows: read };
  });
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
  const row = await admitted(context, request, async (admission) => {
    const { accountId, authVersion, signer, timestamp } = admission;
    const [read] = await context.sql<({ outcome: string } & ProposalRow)[]>`
      select a.outcome, p.account_id, p.commitment, p.nonce, p.prev_commitment, p.proposer,
             p.created_at, p.payload::text as payload,
             guardian.signatures_of(p.account_id, p.commitment)::text as signatures
      from guardian.admit(${accountId}, ${authVersion}, ${signer}, ${timestamp}) a (outcome)
      left join guardian.proposal p
        on a.outcome = 'ok' and p.account_id = ${accountId} and p.commitment = ${commitment}`;
    if (!read) throw new ServiceError('storage_error');
    return read;
  });
  if (row.commitment === null) throw new ServiceError('proposal_not_found');
  return openedProposal(context, row);
}

/** The row with its payload as it was accepted. @throws ServiceError `account_data_unavailable` */
export function openedProposal({ storage }: GuardianContext, row: ProposalRow): ProposalRow {
  const { account_id: accountId, commitment, payload } = row;
  return { ...row, payload: storage.openProposal(accountId, commitment, payload) };
}
