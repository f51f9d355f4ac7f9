import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import type { EvmChain, Multisig } from './chain/chain.ts';
import type { EvmContext } from './context.ts';
import { accountKey, address, chainId, type Hex } from './values.ts';

/** An account as it is stored; where its signers are is the chain's to say. */
export interface StoredAccount {
  account_id: string;
  chain_id: number;
  address: Hex;
  validator: Hex;
  paused_at: Date | null;
  paused_reason: string | null;
  released_at: Date | null;
}

/** Body of POST /evm/accounts. */
export const registration = v.object({
  chain_id: chainId,
  account_address: address,
  multisig_validator_address: address,
});

/** Answer of POST /evm/accounts. */
export const registered = v.object({
  account_id: v.string(),
  ...registration.entries,
  signers: v.array(address),
  threshold: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
});

/**
 * POST /evm/accounts: makes an account known, on the word of one of its signers (protocol §1.10,
 * E4). Again with another validator, it moves to that one.
 * @throws ServiceError
 */
export async function registerAccount(
  context: EvmContext,
  session: Hex,
  body: unknown,
): Promise<v.InferOutput<typeof registered>> {
  const parsed = v.safeParse(registration, body);
  if (!parsed.success) {
    const path = v.getDotPath(parsed.issues[0]) ?? 'body';
    throw new ServiceError('invalid_input', `The field ${path} is not valid.`);
  }
  const { chain_id, account_address, multisig_validator_address } = parsed.output;
  const chain = chainOf(context, chain_id);
  const { signers, threshold } = await authorize(
    chain,
    account_address,
    multisig_validator_address,
    session,
  );
  const { accountId } = accountKey(chain_id, account_address);
  const [row] = await context.sql<{ is_new: boolean }[]>`select guardian.register_evm_account(
    ${accountId}, ${chain_id}, ${account_address}, ${multisig_validator_address}) as is_new`;
  if (row?.is_new) context.metrics.count('guardian_accounts_created_total', { kind: 'evm' });
  return {
    account_id: accountId,
    chain_id,
    account_address,
    multisig_validator_address,
    signers,
    threshold,
  };
}

/** @throws ServiceError `account_not_found` */
export async function loadAccount(context: EvmContext, accountId: string): Promise<StoredAccount> {
  const [row] = await context.sql<StoredAccount[]>`
    select account_id, chain_id::float8 as chain_id, address, validator, paused_at, paused_reason,
           released_at
    from guardian.evm_account where account_id = ${accountId}`;
  if (!row) throw new ServiceError('account_not_found');
  return row;
}

/** The error for a refused change, with since when the account is paused or released. */
export async function refusalOf(
  context: EvmContext,
  accountId: string,
  outcome: Refusal,
): Promise<ServiceError> {
  if (outcome !== 'account_paused' && outcome !== 'account_released') {
    return new ServiceError(outcome);
  }
  return gateOf(await loadAccount(context, accountId)) ?? new ServiceError(outcome);
}

/** What the database refuses a change of proposals with. */
export type Refusal =
  | 'account_not_found'
  | 'account_paused'
  | 'account_released'
  | 'authorization_failed'
  | 'invalid_proposal_signature'
  | 'pending_proposals_limit'
  | 'proposal_already_signed'
  | 'proposal_not_found'
  | 'signer_not_authorized';

/** Why the account may not be changed, if it may not; released wins over paused. */
export function gateOf(account: StoredAccount): ServiceError | undefined {
  const { paused_at, paused_reason, released_at } = account;
  if (released_at) {
    const meta = { released_at: released_at.toISOString() };
    return new ServiceError('account_released', undefined, { meta });
  }
  if (paused_at) {
    const meta = { paused_at: paused_at.toISOString(), paused_reason };
    return new ServiceError('account_paused', undefined, { meta });
  }
  return undefined;
}

/** @throws ServiceError `unsupported_evm_chain` */
export function chainOf(context: EvmContext, id: number): EvmChain {
  const chain = context.chains.get(id);
  if (!chain) throw new ServiceError('unsupported_evm_chain');
  return chain;
}

/**
 * Reads the signers of an account, of whom the session must be one.
 * @throws ServiceError `invalid_network_config`, `signer_not_authorized`
 */
export async function authorize(
  chain: EvmChain,
  account: Hex,
  validator: Hex,
  session: Hex,
): Promise<Multisig> {
  const multisig = await chain.readMultisig(account, validator);
  if (!multisig) {
    const message = 'The account has no such validator module installed.';
    throw new ServiceError('invalid_network_config', message);
  }
  if (!multisig.signers.includes(session)) throw new ServiceError('signer_not_authorized');
  return multisig;
}
