import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { admitted, parseAccountId } from '../authentication/authenticate.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import { canonicalJson, type JsonValue } from '../authentication/canonical-json.ts';
import type { GuardianContext } from '../context.ts';
import { refusalOf, type Written } from '../deltas/refusal.ts';
import { verifyCosigner } from './cosign.ts';
import { openedProposal, parseCommitment } from './read.ts';
import { signBody, type ProposalRow } from './wire.ts';

/**
 * PUT /delta/proposal: adds a cosigner's signature (protocol §1.4, C13).
 * @throws ServiceError
 */
export async function signProposal(
  context: GuardianContext,
  body: JsonValue,
  request: Omit<SignedRequest, 'accountId'>,
): Promise<ProposalRow> {
  const parsed = v.safeParse(signBody, body);
  if (!parsed.success) throw new ServiceError('invalid_input', 'The body is not a signature.');
  const accountId = parseAccountId(parsed.output.account_id);
  const commitment = parseCommitment(parsed.output.commitment);
  const { signature } = parsed.output;
  const row = await admitted(context, { ...request, accountId }, async (admission, stored) => {
    const cosigner = await verifyCosigner(context, stored, commitment, signature);
    const { authVersion, signer, timestamp } = admission;
    const [signed] = await context.sql<(ProposalRow & Written)[]>`
        select r.outcome, guardian.refusal_details(${accountId}, r.outcome) as refusal, p.*
        from guardian.sign_proposal(
          ${accountId}, ${authVersion}, ${signer}, ${timestamp},
          ${cosigner === undefined ? 'invalid' : 'valid'}, ${commitment}, ${cosigner ?? null},
          ${canonicalJson(signature as JsonValue)}::text::json) r (outcome)
        left join lateral guardian.proposal_after(
          ${accountId}, ${commitment}, r.outcome) p on true`;
    if (!signed) throw new ServiceError('storage_error');
    return signed;
  });
  if (row.outcome !== 'signed') throw refusalOf(row);
  context.metrics.count('guardian_proposals_total', { event: 'signed' });
  return openedProposal(context, row);
}
