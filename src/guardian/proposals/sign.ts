import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { admitted, parseAccountId } from '../authentication/authenticate.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import { canonicalJson, type JsonValue } from '../authentication/canonical-json.ts';
import type { GuardianContext } from '../context.ts';
import { refusalOf } from '../deltas/refusal.ts';
import { verifyCosigner } from './cosign.ts';
import { parseCommitment, readProposalRow } from './read.ts';
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
  const { outcome } = await admitted(
    context,
    { ...request, accountId },
    async (admission, stored) => {
      const cosigner = await verifyCosigner(context, stored, commitment, signature);
      const { authVersion, signer, timestamp } = admission;
      const [row] = await context.sql<{ outcome: string }[]>`
      select guardian.sign_proposal(
        ${accountId}, ${authVersion}, ${signer}, ${timestamp},
        ${cosigner === undefined ? 'invalid' : 'valid'}, ${commitment}, ${cosigner ?? null},
        ${canonicalJson(signature as JsonValue)}::text::json) as outcome`;
      return row ?? { outcome: 'storage_error' };
    },
  );
  if (outcome !== 'signed') throw await refusalOf(context, accountId, outcome);
  const row = await readProposalRow(context, accountId, commitment);
  if (!row) throw new ServiceError('proposal_not_found');
  return row;
}
