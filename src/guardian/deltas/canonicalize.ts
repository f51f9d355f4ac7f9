import type { Sql } from '../../database/connect.ts';
import { answered } from '../../kernel/answered.ts';
import type { KernelEvents } from '../../kernel/events.ts';
import { drain, lookAgainSeconds, unlessStopped, type LineWork } from '../../kernel/drain.ts';
import type { HeldLines } from '../../kernel/held-lines.ts';
import { canonicalizationLimits as limits } from '../../limits.ts';
import type { Log } from '../../observability/log.ts';
import type { Metrics } from '../../observability/metrics.ts';
import { queueNameOf } from '../context.ts';
import { ChainError, type Network } from '../networks/network.ts';
import { judge, type Observation, type Verdict } from './judge.ts';
import type { DeltaHead, LineWrites, Resolved } from './line-writes.ts';
import { countVerdict } from './outcomes.ts';

/** What the tasks of a delta's life work with. */
export interface CanonicalizationContext {
  sql: Sql;
  writes: LineWrites;
  network: Pick<Network, 'commitmentOnChain'>;
  /** The lines this process is at work on. */
  held: HeldLines;
  wakeQueue: 'account' | 'none';
  /** How long a delta that was given up may still become canonical; 0 forgets it. */
  retainedTtlSeconds: number;
  reconcileIntervalSeconds: number;
  log: Log;
  metrics: Metrics;
  events: KernelEvents;
}

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
  const { sql, log, held, events } = context;
  await drain(lineWork(context, accountId, holder), { sql, log, held, events, signal });
}

function lineWork(
  context: CanonicalizationContext,
  accountId: string,
  holder: string,
): LineWork<DeltaHead> {
  return {
    retry: limits.retry,
    queueName: queueNameOf(context, accountId),
    async claim() {
      const head = await context.writes.claim({ account: accountId, holder });
      return head.candidate_id === null ? null : head;
    },
    async decide(head, signal) {
      const observation = await observe(context, accountId, head, signal);
      const verdict = judge(observation, head, context.retainedTtlSeconds > 0);
      const seen = observation.kind === 'diverged' ? observation.commitment : null;
      return act(context, accountId, head, verdict, seen);
    },
  };
}

/**
 * One look at the chain. An account that is not there is at its base, never diverged; one at a
 * commitment that it had before has not diverged either: the node behind this answer lags.
 */
async function observe(
  context: CanonicalizationContext,
  accountId: string,
  head: DeltaHead,
  signal: AbortSignal,
): Promise<Observation> {
  try {
    const commitment = await unlessStopped(context.network.commitmentOnChain(accountId), signal);
    if (commitment === null || commitment === head.prev_commitment) return { kind: 'not_landed' };
    const through = head.candidates[head.results.indexOf(commitment)];
    if (through !== undefined) return { kind: 'landed', through };
    const [known] = await answered(context.sql<{ through: bigint | null; earlier: boolean }[]>`
      select through, earlier from guardian.known_commitment(${accountId}, ${commitment})`);
    if (known && known.through !== null) return { kind: 'landed', through: known.through };
    return known?.earlier ? { kind: 'node_behind' } : { kind: 'diverged', commitment };
  } catch (error) {
    if (error instanceof ChainError) return { kind: 'chain_unavailable', error: error.message };
    throw error;
  }
}

/**
 * The one fenced write that a verdict asks for.
 * @param seen the foreign commitment that the verdict rests on: should it be the result of a
 *   candidate that came after the claim, the look counts for nothing and the head comes back.
 */
async function act(
  context: CanonicalizationContext,
  accountId: string,
  head: DeltaHead,
  verdict: Verdict,
  seen: string | null,
): Promise<DeltaHead | null> {
  const { sql, writes } = context;
  const { line_id: line, fence, candidate_id: candidate } = head;
  const claimed = { account: accountId, line, fence, candidate };
  switch (verdict.kind) {
    case 'promote': {
      const row = await writes.promote({ ...claimed, through: verdict.through });
      return next(context, accountId, head, row, verdict);
    }
    case 'give_up': {
      const { status, reason } = verdict;
      const [row] = await answered(sql<Resolved[]>`
        select r.outcome, (r.next).* from guardian.give_up_delta(
          ${accountId}, ${line}, ${fence}, ${candidate},
          ${status}, ${reason}, ${context.reconcileIntervalSeconds}, ${seen}) r`);
      return next(context, accountId, head, row, verdict);
    }
    case 'look_again': {
      const backoff = lookAgainSeconds(head.attempts, verdict.backoff, Math.random());
      const delaySeconds = Math.max(
        Math.min(backoff, verdict.notLaterThanSeconds),
        verdict.notSoonerThanSeconds,
      );
      const { held } = await writes.snooze({
        ...claimed,
        delaySeconds,
        why: verdict.why,
        error: verdict.error,
        retries: verdict.retryCount,
        divergences: verdict.divergenceCount,
        abandonments: verdict.abandonConfirmCount,
      });
      countVerdict(context.metrics, head, verdict, held ? undefined : 'fenced');
      if (verdict.error !== null) {
        context.log.warn({ account: accountId, error: verdict.error }, 'chain unavailable');
      }
      return null;
    }
  }
}

/** A resolution is logged with its account and nonce; an overtaken claim ends the drain. */
function next(
  context: CanonicalizationContext,
  accountId: string,
  head: DeltaHead,
  row: Resolved | undefined,
  verdict: Verdict,
): DeltaHead | null {
  const { outcome } = row ?? {};
  const asked = verdict.kind === 'give_up' ? verdict.reason : undefined;
  const reason = outcome === 'abandoned' ? 'client_abandoned' : asked;
  countVerdict(context.metrics, head, verdict, outcome);
  const fields = { account: accountId, nonce: String(head.nonce), outcome, reason };
  context.log.info(fields, 'delta resolved');
  return row && row.outcome !== 'fenced' ? row : null;
}
