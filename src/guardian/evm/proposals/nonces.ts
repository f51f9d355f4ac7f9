/** Which proposals cannot be executed any more, because the EntryPoint has passed their nonce. */
import { evmLimits } from '../../../limits.ts';
import { chainOf, type StoredAccount } from '../accounts.ts';
import { EvmChainError } from '../chain/chain.ts';
import type { EvmContext } from '../context.ts';
import type { Hex } from '../values.ts';

/** A proposal that is active, or was until not long ago. */
interface Questioned {
  /** Decimal: upper 192 bits of the nonce. */
  nonce_key: string;
  /** Whether the session is in the signer snapshot. */
  member: boolean;
  /** Whether the nonce was last seen used. */
  used: boolean;
}

/** Proposals that one answer may hold: what may be active, and what a chain may bring back. */
export const listedAtMost = ({ maxActiveProposals }: EvmContext): number =>
  maxActiveProposals + evmLimits.usedProposals;

/**
 * The proposals whose nonce the EntryPoint has to be asked for: the active ones, and those lately
 * seen used. Their number is bounded whatever the signers of an account do.
 */
export async function questionedProposals(
  context: EvmContext,
  session: Hex,
  accountId: string,
  proposalId: Hex | null = null,
): Promise<Questioned[]> {
  return context.sql<Questioned[]>`
    select nonce_key::text as nonce_key, ${session} = any(signer_snapshot) as member,
           nonce_used_at is not null as used
    from guardian.evm_proposal
    where account_id = ${accountId} and expires_at > clock_timestamp()
      and (${proposalId}::text is null or proposal_id = ${proposalId})
      and (nonce_used_at is null
        or nonce_used_at > clock_timestamp() - make_interval(secs => ${evmLimits.usedSeconds}))
    order by nonce_used_at desc nulls first limit ${listedAtMost(context)}`;
}

/**
 * Asks the EntryPoint, a few keys at a time, and marks the proposals whose nonce it has passed.
 * @throws EvmChainError
 */
export async function markUsedNonces(
  context: EvmContext,
  account: StoredAccount,
  questioned: readonly Questioned[],
): Promise<void> {
  const chain = chainOf(context, account.chain_id);
  const waiting = [...new Set(questioned.map(({ nonce_key }) => nonce_key))];
  const next = new Map<string, string>();
  const latest = performance.now() + evmLimits.nonceLookupsMs;
  const ask = async () => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      if (performance.now() > latest) {
        throw new EvmChainError(
          'unavailable',
          'the EntryPoint takes too long to answer for nonces',
        );
      }
      next.set(key, String(await chain.nextNonce(account.address, BigInt(key))));
    }
  };
  await Promise.all(Array.from({ length: evmLimits.nonceLookups }, ask));
  if (next.size === 0) return;
  await context.sql`select guardian.mark_used_evm_nonces(${account.account_id},
    ${[...next.keys()]}::text[]::numeric[], ${[...next.values()]}::text[]::numeric[],
    ${evmLimits.usedProposals})`;
}
