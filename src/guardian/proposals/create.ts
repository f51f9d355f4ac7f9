import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { decodeBase64 } from '../accounts/wire.ts';
import { admitted, parseAccountId, type Admission } from '../authentication/authenticate.ts';
import type { SignedRequest, StoredAuth } from '../authentication/signed-request.ts';
import { canonicalJson, type JsonValue } from '../authentication/canonical-json.ts';
import type { GuardianContext } from '../context.ts';
import { refusalOf, type Written } from '../deltas/refusal.ts';
import { findBase } from '../deltas/submit.ts';
import { holdsZeroCharacter } from '../deltas/wire.ts';
import { UnverifiableError } from '../networks/network.ts';
import { verifyCosigner } from './cosign.ts';
import { openedProposal } from './read.ts';
import {
  normalizeProposal,
  proposalBody,
  type NormalizedProposal,
  type ProposalRow,
} from './wire.ts';

type Created = ProposalRow & Written & { is_new: boolean };

interface Examined {
  verdict: 'valid' | 'invalid_delta' | 'invalid_proposal_signature';
  reason?: string;
  commitment: string;
  signatures: JsonValue;
}

/**
 * POST /delta/proposal: stores a proposal for the cosigners to sign (protocol §1.4, C10). A
 * proposal that is already there is answered as it stands, with the signatures it has.
 * @throws ServiceError
 */
export async function createProposal(
  context: GuardianContext,
  body: JsonValue,
  request: Omit<SignedRequest, 'accountId'>,
): Promise<ProposalRow> {
  const parsed = v.safeParse(proposalBody, body);
  if (!parsed.success) throw new ServiceError('invalid_input', 'The body is not a proposal.');
  const accountId = parseAccountId(parsed.output.account_id);
  const proposal = normalizeProposal(parsed.output.delta_payload);
  const summary = decodeBase64(proposal.summary, 'invalid_delta');
  // the delta that it becomes is refused for it, and takes over what is said about it
  if (holdsZeroCharacter(canonicalJson(proposal.payload))) {
    throw new ServiceError('invalid_delta', 'The payload holds a zero character.');
  }
  let examined: Examined | undefined;
  const row = await admitted(context, { ...request, accountId }, async (admission, stored) => {
    examined = await examine(context, accountId, stored, proposal, summary);
    return commit(context, admission, stored, parsed.output.nonce, proposal, examined);
  });
  if (row.outcome !== 'stored') throw refusalOf(row, examined?.reason);
  if (row.is_new) context.metrics.count('guardian_proposals_total', { event: 'created' });
  return openedProposal(context, row);
}

async function examine(
  context: GuardianContext,
  accountId: string,
  stored: StoredAuth,
  proposal: NormalizedProposal,
  summary: Uint8Array,
): Promise<Examined> {
  const state = await findBase(context, accountId, stored.commitment);
  // the base moved meanwhile: the database answers `stale_auth`, and it is looked at again
  if (!state) return { verdict: 'valid', commitment: '', signatures: [] };
  let commitment: string;
  try {
    const applied = await context.network.applyDelta({ accountId, state, summary });
    commitment = applied.summaryCommitment;
  } catch (error) {
    if (!(error instanceof UnverifiableError)) throw error;
    return { verdict: 'invalid_delta', reason: error.message, commitment: '', signatures: [] };
  }
  const signatures = new Map<string, JsonValue>();
  for (const { signer_id: claimed, signature } of proposal.signatures) {
    const signer = await verifyCosigner(context, stored, commitment, signature);
    if (signer === undefined || signer !== claimed.toLowerCase()) {
      return { verdict: 'invalid_proposal_signature', commitment, signatures: [] };
    }
    signatures.set(signer, { signer_id: signer, signature: signature as JsonValue });
  }
  return { verdict: 'valid', commitment, signatures: [...signatures.values()] };
}

async function commit(
  context: GuardianContext,
  admission: Admission,
  stored: StoredAuth,
  nonce: bigint,
  proposal: NormalizedProposal,
  examined: Examined,
): Promise<Created> {
  const { accountId, authVersion, signer, timestamp } = admission;
  const { commitment } = examined;
  const payload = context.storage.sealProposal(
    accountId,
    commitment,
    canonicalJson(proposal.payload),
  );
  const [row] = await context.sql<Created[]>`
    select r.outcome, guardian.refusal_details(${accountId}, r.outcome) as refusal, p.*,
           p.created_at = now() as is_new -- written by this very transaction
    from guardian.create_proposal(
      ${accountId}, ${authVersion}, ${signer}, ${timestamp}, ${examined.verdict},
      ${commitment}, ${nonce}, ${stored.commitment},
      ${payload}::text::json,
      ${canonicalJson(examined.signatures)}::text::json, ${context.maxPendingProposals}) r (outcome)
    left join lateral guardian.proposal_after(
      ${accountId}, ${commitment}, r.outcome) p on true`;
  if (!row) throw new ServiceError('storage_error');
  return row;
}
