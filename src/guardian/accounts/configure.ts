import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import {
  assertFresh,
  databaseClock,
  loadAuth,
  parseAccountId,
  verifySigner,
} from '../authentication/authenticate.ts';
import type { SignedRequest, StoredAuth } from '../authentication/signed-request.ts';
import type { GuardianContext } from '../context.ts';
import { UnverifiableError, type InspectedAccount } from '../networks/network.ts';
import {
  assertMidenNetwork,
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
  const parsed = v.safeParse(configureBody, body);
  if (!parsed.success) throw new ServiceError('invalid_input', describe(parsed.issues));
  assertMidenNetwork(parsed.output.network_config);
  const accountId = parseAccountId(parsed.output.account_id);
  const { scheme, signers } = authOf(parsed.output);
  const state = decodeBase64(parsed.output.initial_state.data, 'invalid_input');

  const [stored, nowMs] = await storedOrNow(context, accountId);
  assertFresh(request.timestamp, nowMs);
  const account = await inspect(context, state, accountId);
  assertBinding(context, account, scheme, signers);
  const signer = await verifySigner(context, { ...request, accountId }, scheme, signers);
  if (stored && !stored.signer_commitments.includes(signer)) {
    const onChain = await context.network.commitmentOnChain(accountId);
    if (onChain !== account.commitment) throw new ServiceError('authentication_failed');
  }

  const [row] = await context.sql<{ outcome: string }[]>`
    select guardian.configure_account(
      ${accountId}, ${stored?.auth_version ?? 0n}, ${signer}, ${request.timestamp},
      ${scheme}, ${signers}, ${account.commitment}, ${state}) as outcome`;
  switch (row?.outcome) {
    case 'configured':
      return {
        success: true,
        message: stored ? 'Account updated.' : 'Account configured.',
        ack_pubkey: context.acknowledgement.publicKey(scheme),
        ack_commitment: context.acknowledgement.commitment(scheme, account.protocol),
      };
    case 'conflict_pending_delta':
      throw new ServiceError('conflict_pending_delta');
    default:
      // lost a race against another configure or a newer request of the same signer
      throw new ServiceError('authentication_replay');
  }
}

async function storedOrNow(
  context: GuardianContext,
  accountId: string,
): Promise<[StoredAuth | undefined, bigint]> {
  const stored = await loadAuth(context, accountId);
  return [stored, stored?.now_ms ?? (await databaseClock(context))];
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
