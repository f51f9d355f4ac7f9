/** The rules of canonicalization (protocol §4.6): what an observation of the chain leads to. */
import type { Backoff } from '../../kernel/drain.ts';
import { canonicalizationLimits as limits } from '../../limits.ts';

/** What one look at the chain showed about the head of a line. */
export type Observation =
  /** The account is at the result of this candidate of the line. */
  | { kind: 'landed'; through: bigint }
  /** The account is still at the head's base, or not on chain yet. */
  | { kind: 'not_landed' }
  /** The account is where it was before the head's base: this node lags, and says nothing of it. */
  | { kind: 'node_behind' }
  /** The account is somewhere else: at this commitment. */
  | { kind: 'diverged'; commitment: string }
  /** The node gave no answer: evidence of nothing. */
  | { kind: 'chain_unavailable'; error: string };

/** What earlier looks at the delta have shown. */
export interface Evidence {
  retry_count: number;
  divergence_count: number;
  abandon_confirm_count: number;
  /** Seconds since the delta became a candidate. */
  age_seconds: number;
  /** Seconds since its client asked to abandon it; null when it did not. */
  abandon_age_seconds: number | null;
}

export type Verdict =
  | { kind: 'promote'; through: bigint }
  | { kind: 'give_up'; status: 'retained' | 'discarded' | null; reason: GiveUpReason }
  | {
      kind: 'look_again';
      why: Exclude<Observation['kind'], 'landed'>;
      error: string | null;
      backoff: Backoff;
      notSoonerThanSeconds: number;
      notLaterThanSeconds: number;
      retryCount: number;
      divergenceCount: number;
      abandonConfirmCount: number;
    };

type GiveUpReason = 'diverged' | 'retry_exhausted' | 'client_abandoned';

/**
 * Decides about the head of a line.
 *
 * Landing always wins, also over a request to abandon. A delta that its client abandoned is
 * never retained: whatever ends it discards it. Only an answer of the chain counts as evidence.
 *
 * @param retains whether deltas that are given up are kept for a late landing.
 */
export function judge(observation: Observation, evidence: Evidence, retains: boolean): Verdict {
  switch (observation.kind) {
    case 'landed':
      return { kind: 'promote', through: observation.through };
    case 'diverged':
      return judgeDivergence(evidence, retains);
    case 'not_landed':
      return judgeWaiting(evidence, retains);
    case 'node_behind':
      return lookAgain('node_behind', evidence, { divergenceCount: 0, abandonConfirmCount: 0 });
    case 'chain_unavailable':
      return lookAgain('chain_unavailable', evidence, { error: observation.error });
  }
}

function judgeDivergence(evidence: Evidence, retains: boolean): Verdict {
  const notSoonerThanSeconds = limits.divergenceSeconds;
  const divergenceCount = evidence.divergence_count + 1;
  if (divergenceCount < limits.divergenceConfirmations) {
    const change = { divergenceCount, abandonConfirmCount: 0, notSoonerThanSeconds };
    return lookAgain('diverged', evidence, change);
  }
  // a request to abandon brings a look forward, which then confirms nothing
  const { abandon_age_seconds: abandonAge } = evidence;
  if (abandonAge !== null && abandonAge < limits.divergenceSeconds) {
    return lookAgain('diverged', evidence, { abandonConfirmCount: 0, notSoonerThanSeconds });
  }
  return giveUp(evidence, 'diverged', retains);
}

function judgeWaiting(evidence: Evidence, retains: boolean): Verdict {
  if (evidence.abandon_age_seconds !== null) {
    const abandonConfirmCount = evidence.abandon_confirm_count + 1;
    const quarantine = limits.abandonQuarantineSeconds - evidence.abandon_age_seconds;
    if (abandonConfirmCount >= limits.abandonConfirmations && quarantine <= 0) {
      return giveUp(evidence, 'client_abandoned', retains);
    }
    return lookAgain('not_landed', evidence, {
      divergenceCount: 0,
      abandonConfirmCount,
      notLaterThanSeconds: Math.max(quarantine, 0.5),
    });
  }
  if (evidence.age_seconds < limits.graceSeconds) {
    return lookAgain('not_landed', evidence, { divergenceCount: 0 });
  }
  const retryCount = evidence.retry_count + 1;
  if (retryCount >= limits.maxRetries) return giveUp(evidence, 'retry_exhausted', retains);
  return lookAgain('not_landed', evidence, { divergenceCount: 0, retryCount });
}

function giveUp(evidence: Evidence, reason: GiveUpReason, retains: boolean): Verdict {
  if (evidence.abandon_age_seconds !== null) {
    return { kind: 'give_up', status: 'discarded', reason: 'client_abandoned' };
  }
  return { kind: 'give_up', status: retains ? 'retained' : null, reason };
}

function lookAgain(
  why: Exclude<Observation['kind'], 'landed'>,
  evidence: Evidence,
  change: {
    error?: string;
    retryCount?: number;
    divergenceCount?: number;
    abandonConfirmCount?: number;
    notSoonerThanSeconds?: number;
    notLaterThanSeconds?: number;
  },
): Verdict {
  return {
    kind: 'look_again',
    why,
    error: change.error ?? null,
    backoff: why === 'chain_unavailable' ? limits.chainUnavailable : limits.notLanded,
    notSoonerThanSeconds: change.notSoonerThanSeconds ?? 0,
    notLaterThanSeconds: change.notLaterThanSeconds ?? Number.MAX_SAFE_INTEGER,
    retryCount: change.retryCount ?? evidence.retry_count,
    divergenceCount: change.divergenceCount ?? evidence.divergence_count,
    abandonConfirmCount: change.abandonConfirmCount ?? evidence.abandon_confirm_count,
  };
}
