import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { decodeBase64 } from '../accounts/wire.ts';
import { admitted, parseAccountId, type Admission } from '../authentication/authenticate.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import { canonicalJson, type JsonValue } from '../authentication/canonical-json.ts';
import { queueNameOf, type GuardianContext } from '../context.ts';
import { UnverifiableError } from '../networks/network.ts';
import { refusalOf } from './refusal.ts';
import { openedDelta } from './read.ts';
import type { SubmitRow } from './submission-writes.ts';
import { deltaBody, holdsZeroCharacter, type DeltaRow } from './wire.ts';

interface Submission {
  nonce: bigint;
  prevCommitment: string;
  summary: Uint8Array;
  /** JSON text of `delta_payload`, and its member `data`. */
  payload: string;
  data: string;
}

/** What is stored with a candidate whose delta applies to its base. */
interface Verified {
  newCommitment: string;
  summaryCommitment: string;
  ack: { scheme: string; publicKey: string; signature: string };
  state: Uint8Array;
  /** null: the state stores none, and the account keeps those it has when the delta lands. */
  signers: string[] | null;
  boundHere: boolean;
}

type Verdict =
  | { verdict: 'valid'; verified: Verified }
  | { verdict: 'invalid'; reason: string }
  | { verdict: 'unexamined' };

/**
 * POST /delta: verifies a delta against the stored state, acknowledges it, and commits it as a
 * candidate together with its wake-up (protocol §1.4 C6, §4.3).
 *
 * An identical re-submission answers with the stored delta and its acknowledgement.
 *
 * @param body the parsed JSON body; `request` is the same body as it was signed.
 * @throws ServiceError
 */
export async function submitDelta(
  context: GuardianContext,
  body: JsonValue,
  request: Omit<SignedRequest, 'accountId'>,
): Promise<DeltaRow> {
  const parsed = v.safeParse(deltaBody, body);
  if (!parsed.success) throw new ServiceError('invalid_input', 'The body is not a delta.');
  const accountId = parseAccountId(parsed.output.account_id);
  const { nonce, prev_commitment: prevCommitment, delta_payload: payload } = parsed.output;
  const submission: Submission = {
    nonce,
    prevCommitment,
    summary: decodeBase64(payload.data, 'invalid_delta'),
    // as it was signed: what a schema returns lacks members such as `constructor`
    payload: canonicalJson((body as { readonly delta_payload: JsonValue }).delta_payload),
    data: payload.data,
  };
  if (holdsZeroCharacter(submission.payload)) {
    throw new ServiceError('invalid_input', 'The payload holds a zero character.');
  }
  let reason: string | undefined;
  let result: Verified | undefined;
  const row = await admitted(context, { ...request, accountId }, async (admission) => {
    const verdict = await examine(context, admission, submission);
    reason = verdict.verdict === 'invalid' ? verdict.reason : undefined;
    result = verdict.verdict === 'valid' ? verdict.verified : undefined;
    return commit(context, admission, submission, verdict);
  });
  if (row.outcome === 'submitted' || row.outcome === 'stored') {
    countSubmission(context, row);
    if (result) context.remembered.rememberState(accountId, result.newCommitment, result.state);
    return openedDelta(context, row);
  }
  throw refusalOf(row, reason);
}

function countSubmission({ metrics }: GuardianContext, row: SubmitRow): void {
  if (row.outcome !== 'submitted') return;
  const kind = row.from_proposal ? 'proposal_commit' : 'direct';
  metrics.count('guardian_deltas_submitted_total', { kind });
}

/**
 * Applies the delta to its base and signs the acknowledgement. The signature leaves this
 * process only when the candidate was committed.
 */
async function examine(
  context: GuardianContext,
  admission: Admission,
  submission: Submission,
): Promise<Verdict> {
  const { accountId, scheme } = admission;
  const state = await findBase(context, accountId, submission.prevCommitment);
  if (!state) return { verdict: 'unexamined' };
  try {
    const { summary } = submission;
    const applied = await context.applyAndAcknowledge({ accountId, state, summary, scheme });
    const { account, acknowledgement: signature } = applied;
    return {
      verdict: 'valid',
      verified: {
        newCommitment: account.commitment,
        summaryCommitment: applied.summaryCommitment,
        ack: { scheme, publicKey: context.acknowledgement.publicKey(scheme), signature },
        state: applied.state,
        signers: account.signerCommitments.length > 0 ? account.signerCommitments : null,
        boundHere:
          account.guardianCommitment ===
          context.acknowledgement.commitment(scheme, account.protocol),
      },
    };
  } catch (error) {
    if (!(error instanceof UnverifiableError)) throw error;
    return { verdict: 'invalid', reason: error.message };
  }
}

/**
 * The state a delta builds on: the last candidate's result, or the canonical state. The bytes of a
 * commitment never change, so remembered ones are as good as the database's; whether the delta
 * may build on them is decided when it is committed.
 */
export async function findBase(
  context: GuardianContext,
  accountId: string,
  commitment: string,
): Promise<Uint8Array | undefined> {
  const remembered = context.remembered.state(accountId, commitment);
  if (remembered) return remembered;
  const [base] = await context.sql<{ state: Uint8Array }[]>`
    (select d.result_state as state from guardian.delta d
     where d.account_id = ${accountId} and d.status = 'candidate'
       and d.new_commitment = ${commitment})
    union all
    (select a.state from guardian.account a
     where a.account_id = ${accountId} and a.commitment = ${commitment})
    limit 1`;
  if (!base) return undefined;
  const state = context.storage.openState(accountId, base.state);
  context.remembered.rememberState(accountId, commitment, state);
  return state;
}

function commit(
  context: GuardianContext,
  admission: Admission,
  submission: Submission,
  verdict: Verdict,
): Promise<SubmitRow> {
  const { storage } = context;
  const { accountId, authVersion, signer, timestamp } = admission;
  const { nonce, prevCommitment, payload, data } = submission;
  const verified = verdict.verdict === 'valid' ? verdict.verified : undefined;
  return context.submissions({
    account_id: accountId,
    auth_version: authVersion,
    signer,
    timestamp,
    verdict: verdict.verdict,
    nonce,
    prev_commitment: prevCommitment,
    new_commitment: verified?.newCommitment ?? null,
    summary_commitment: verified?.summaryCommitment ?? null,
    payload: storage.sealDelta(accountId, nonce, payload, data),
    ack_scheme: verified?.ack.scheme ?? null,
    ack_pubkey: verified?.ack.publicKey ?? null,
    ack_signature: verified?.ack.signature ?? null,
    // sealed as a state: promotion copies it into the account as it is
    state: verified ? storage.sealState(accountId, verified.state) : null,
    signers: verified?.signers ?? null,
    bound_here: verified?.boundHere ?? null,
    queue_name: queueNameOf(context, accountId),
  });
}
