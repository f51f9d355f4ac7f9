import type { Sql } from '../../database/connect.ts';
import { drain, lookAgainSeconds, type Head, type LineWork } from '../../kernel/drain.ts';
import { canonicalizationLimits as limits, kernelLimits } from '../../limits.ts';
import type { Log } from '../../observability/log.ts';
import { ChainError, type Network } from '../networks/network.ts';

/** What the canonicalize task works with. */
export interface CanonicalizationContext {
  sql: Sql;
  network: Pick<Network, 'commitmentOnChain'>;
  wakeQueue: 'account' | 'none';
  log: Log;
}

interface DeltaHead extends Head {
  nonce: bigint;
  prev_commitment: string;
  new_commitment: string;
  divergence_count: number;
}

type Observation =
  | { kind: 'landed' }
  | { kind: 'not_landed' }
  | { kind: 'diverged' }
  | { kind: 'chain_unavailable'; error: string };

/**
 * Works on the line of an account: looks at the chain and resolves the head (protocol §4.6).
 *
 * @param holder id of the worker pool that runs the wake-up.
 * @param signal aborted when the process stops.
 */
export async function canonicalize(
  context: CanonicalizationContext,
  accountId: string,
  holder: string,
  signal: AbortSignal,
): Promise<void> {
  await drain(lineWork(context, accountId, holder), signal);
}

function lineWork(
  context: CanonicalizationContext,
  accountId: string,
  holder: string,
): LineWork<DeltaHead> {
  const { sql } = context;
  return {
    async claim() {
      const [head] = await sql<DeltaHead[]>`
        select * from guardian.claim_delta(${accountId}, ${holder}, ${kernelLimits.claimSeconds})`;
      return head?.line_id ? head : null;
    },
    async decide(head) {
      const observation = await observe(context, accountId, head);
      switch (observation.kind) {
        case 'landed':
          return promote(context, accountId, head);
        case 'diverged':
          if (head.divergence_count + 1 >= limits.divergenceConfirmations) {
            return retain(context, accountId, head);
          }
          return snooze(context, accountId, head, observation);
        default:
          return snooze(context, accountId, head, observation);
      }
    },
    async handOver(head) {
      const queue = context.wakeQueue === 'account' ? `account:${accountId}` : null;
      await sql`select canonry.hand_over(${head.line_id}, ${head.fence}, ${queue})`;
    },
  };
}

/** One look at the chain. An account that is not there is at its base, never diverged. */
async function observe(
  context: CanonicalizationContext,
  accountId: string,
  head: DeltaHead,
): Promise<Observation> {
  try {
    const commitment = await context.network.commitmentOnChain(accountId);
    if (commitment === head.new_commitment) return { kind: 'landed' };
    if (commitment === null || commitment === head.prev_commitment) return { kind: 'not_landed' };
    return { kind: 'diverged' };
  } catch (error) {
    if (error instanceof ChainError) return { kind: 'chain_unavailable', error: error.message };
    throw error;
  }
}

interface Resolved extends DeltaHead {
  outcome: string;
}

async function promote(
  context: CanonicalizationContext,
  accountId: string,
  head: DeltaHead,
): Promise<DeltaHead | null> {
  const [row] = await context.sql<Resolved[]>`
    select r.outcome, (r.next).* from guardian.promote_delta(
      ${accountId}, ${head.line_id}, ${head.fence}, ${head.candidate_id}) r`;
  return afterResolution(context, accountId, head, row);
}

async function retain(
  context: CanonicalizationContext,
  accountId: string,
  head: DeltaHead,
): Promise<DeltaHead | null> {
  const [row] = await context.sql<Resolved[]>`
    select r.outcome, (r.next).* from guardian.retain_delta(
      ${accountId}, ${head.line_id}, ${head.fence}, ${head.candidate_id}, 'diverged') r`;
  return afterResolution(context, accountId, head, row);
}

function afterResolution(
  context: CanonicalizationContext,
  accountId: string,
  head: DeltaHead,
  row: Resolved | undefined,
): DeltaHead | null {
  const fields = { account: accountId, nonce: String(head.nonce), outcome: row?.outcome };
  context.log.info(fields, 'delta resolved');
  return row && row.outcome !== 'fenced' ? row : null;
}

/** Leaves the head in place with the reason and the time of the next look. */
async function snooze(
  context: CanonicalizationContext,
  accountId: string,
  head: DeltaHead,
  observation: Exclude<Observation, { kind: 'landed' }>,
): Promise<null> {
  const failed = observation.kind === 'chain_unavailable';
  const bounds = failed ? limits.chainUnavailable : limits.notLanded;
  const delay = lookAgainSeconds(head.attempts, bounds, Math.random());
  const divergences =
    observation.kind === 'diverged'
      ? head.divergence_count + 1
      : failed
        ? head.divergence_count
        : 0;
  await context.sql`select guardian.snooze_delta(
    ${head.line_id}, ${head.fence}, ${head.candidate_id}, ${delay}, ${observation.kind},
    ${failed ? observation.error : null}, ${divergences})`;
  if (failed)
    context.log.warn({ account: accountId, error: observation.error }, 'chain unavailable');
  return null;
}
