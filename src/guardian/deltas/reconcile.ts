import type { Sql } from '../../database/connect.ts';
import { answered } from '../../kernel/answered.ts';
import { unlessStopped } from '../../kernel/drain.ts';
import { canonicalizationLimits as limits } from '../../limits.ts';
import { ChainError } from '../networks/network.ts';
import type { CanonicalizationContext } from './canonicalize.ts';

interface Reconcilable {
  nonce: bigint;
  new_commitment: string;
}

/**
 * Looks whether a delta that was given up has landed after all, and makes it canonical then
 * (protocol §4.8), and forgets it when its time is over. Ends when nothing is left to wait for.
 *
 * @throws signal.reason when the process is asked to stop meanwhile: the job engine then gives the
 *   look to another worker.
 */
export async function reconcile(
  context: CanonicalizationContext,
  accountId: string,
  signal: AbortSignal,
): Promise<void> {
  const { sql, log, metrics, retainedTtlSeconds } = context;
  const count = (outcome: 'reconciled' | 'reconcile_deferred', by: number) =>
    metrics.count('guardian_canonicalization_candidates_total', { outcome }, by);
  const deltas = await answered(sql<Reconcilable[]>`
    select nonce, new_commitment from guardian.reconcilable(${accountId}, ${retainedTtlSeconds})`);
  const landed = await findLanded(context, accountId, deltas, signal);
  if (landed) {
    const [row] = await answered(sql<{ promoted: number }[]>`
      select guardian.reconcile_delta(${accountId}, ${landed.new_commitment}) as promoted`);
    count('reconciled', row?.promoted ?? 0);
    const fields = { account: accountId, nonce: String(landed.nonce), promoted: row?.promoted };
    log.info({ ...fields, outcome: 'reconciled' }, 'delta resolved');
  } else if (deltas.length > 0) {
    count('reconcile_deferred', deltas.length);
  }
  await answered(sql`select guardian.reconcile_later(
    ${accountId}, ${context.reconcileIntervalSeconds},
    p_eager_seconds => ${limits.reconcileEagerSeconds},
    p_max_seconds => ${limits.reconcileMaxSeconds})`);
}

async function findLanded(
  context: CanonicalizationContext,
  accountId: string,
  deltas: Reconcilable[],
  signal: AbortSignal,
): Promise<Reconcilable | undefined> {
  if (deltas.length === 0) return undefined;
  try {
    const commitment = await unlessStopped(context.network.commitmentOnChain(accountId), signal);
    return deltas.find((delta) => delta.new_commitment === commitment);
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    context.log.warn({ account: accountId, error: error.message }, 'chain unavailable');
    return undefined;
  }
}

/**
 * Accounts with a delta that was given up, may still land, and no job looks after: its job was
 * deleted. Each has one until it lands or its time is over (reconcilable).
 */
export async function unwatchedAccounts(sql: Sql): Promise<string[]> {
  const rows = await sql<{ account: string }[]>`
    select account from guardian.unwatched_accounts() account`;
  return rows.map(({ account }) => account);
}
