import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import {
  assertFresh,
  loadAuth,
  parseAccountId,
  verifySigner,
} from '../authentication/authenticate.ts';
import type { SignedRequest, StoredAuth } from '../authentication/signed-request.ts';
import type { GuardianContext } from '../context.ts';
import { refusalOf, type Written } from '../deltas/refusal.ts';
import { UnverifiableError, type InspectedAccount } from '../networks/network.ts';
import {
  assertForMiden,
  authOf,
  configureBody,
  decodeBase64,
  type configuredAnswer,
} from './wire.ts';

/**
 * POST /configure: onboards an account, or replaces what is stored for it (protocol §1.4, C5).
 *
 * Upstream lets anyone re-configure who can sign for the signer set in the new body. Here an
 * account that is already stored changes only on the word of one of its stored signers, or
 * when the chain itself shows the submitted state.
 *
 * @param body the parsed JSON body; `request` is the same body as it was signed.
 * @throws ServiceError
 */
export async function configureAccount(
  context: GuardianContext,
  body: unknown,
  request: Omit<SignedRequest, 'accountId'>,
): Promise<v.InferOutput<typeof configuredAnswer>> {
  assertForMiden(body);
  const parsed = v.safeParse(configureBody, body);
  if (!parsed.success) throw new ServiceError('invalid_input', describe(parsed.issues));
  const accountId = parseAccountId(parsed.output.account_id);
  const { scheme, signers } = authOf(parsed.output);
  const state = decodeBase64(parsed.output.initial_state.data, 'invalid_input');

  const signed = { ...request, accountId };
  // spares a round trip; the database says when it is old
  const remembered = context.remembered.auth(accountId);
  let stored = remembered ?? (await loadFresh(context, signed));
  const account = await inspect(context, state, accountId);
  assertBinding(context, account, scheme, signers);
  const signer = await verifySigner(context, signed, scheme, signers);
  const write = async (): Promise<Written> => {
    await assertMayReplace(context, stored, account, signer);
    const [row] = await context.sql<Written[]>`
      select r.outcome, guardian.refusal_details(${accountId}, r.outcome) as refusal
      from guardian.configure_account(
        ${accountId}, ${stored?.auth_version ?? 0n}, ${signer}, ${request.timestamp},
        ${scheme}, ${signers}, ${account.commitment},
        ${context.storage.sealState(accountId, state)}) r (outcome)`;
    if (!row) throw new ServiceError('storage_error');
    return row;
  };
  if (remembered && !remembered.signer_commitments.includes(signer)) {
    stored = await loadFresh(context, signed);
  }
  let row = await write();
  if (row.outcome === 'stale_auth' && stored === remembered) {
    stored = await loadFresh(context, signed);
    row = await write();
  }
  switch (row.outcome) {
    case 'configured':
      // what the database now holds: a new account's first version, or the next one
      context.remembered.rememberAuth(accountId, {
        auth_version: stored ? stored.auth_version + 1n : 1n,
        auth_scheme: scheme,
        signer_commitments: signers,
        commitment: account.commitment,
      });
      context.remembered.rememberState(accountId, account.commitment, state);
      if (!stored) context.metrics.count('guardian_accounts_created_total', { kind: 'miden' });
      return {
        success: true,
        message: stored ? 'Account updated.' : 'Account configured.',
        ack_pubkey: context.acknowledgement.publicKey(scheme),
        ack_commitment: context.acknowledgement.commitment(scheme, account.protocol),
      };
    case 'conflict_pending_delta':
      throw refusalOf(row);
    case 'not_fresh':
      throw new ServiceError('authentication_failed');
    default:
      // lost a race against another configure or a newer request of the same signer
      throw new ServiceError('authentication_replay');
  }
}

/** The stored account, if there is one; a new one's request has to be fresh too. */
async function loadFresh(
  context: GuardianContext,
  { accountId, timestamp }: SignedRequest,
): Promise<StoredAuth | undefined> {
  const { stored, nowMs } = await loadAuth(context, accountId);
  assertFresh(timestamp, nowMs);
  return stored;
}

/** The word of a stored signer, or else the chain's. @throws ServiceError */
async function assertMayReplace(
  context: GuardianContext,
  stored: StoredAuth | undefined,
  account: InspectedAccount,
  signer: string,
): Promise<void> {
  if (!stored || stored.signer_commitments.includes(signer)) return;
  const onChain = await context.network.commitmentOnChain(account.accountId);
  if (onChain !== account.commitment) throw new ServiceError('authentication_failed');
}

async function inspect(
  context: GuardianContext,
  state: Uint8Array,
  accountId: string,
): Promise<InspectedAccount> {
  try {
    const account = await context.network.inspectAccount(state);
    if (account.accountId === accountId) return account;
  } catch (error) {
    if (!(error instanceof UnverifiableError)) throw error;
    throw new ServiceError('invalid_input', `The state cannot be read: ${error.message}`);
  }
  throw new ServiceError('invalid_input', 'The state belongs to another account.');
}

/** The account must name our key for the scheme, and exactly the signers of the body. */
function assertBinding(
  context: GuardianContext,
  account: InspectedAccount,
  scheme: 'falcon' | 'ecdsa',
  signers: string[],
): void {
  const ours = context.acknowledgement.commitment(scheme, account.protocol);
  if (account.guardianCommitment !== ours) {
    throw new ServiceError('authorization_failed');
  }
  const same =
    account.signerCommitments.length === signers.length &&
    account.signerCommitments.every((commitment, index) => commitment === signers[index]);
  if (account.signerCommitments.length > 0 && !same) {
    throw new ServiceError('invalid_input', 'cosigner_commitments differ from the state.');
  }
}

function describe(issues: readonly v.BaseIssue<unknown>[]): string {
  const issue = issues[0];
  const path = issue ? v.getDotPath(issue) : null;
  return path ? `The field ${path} is not valid.` : 'The body is not valid.';
}
