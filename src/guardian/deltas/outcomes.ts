/** How resolutions and looks are counted, in the protocol's words (dossier §7). */
import type { Labels, Metrics } from '../../observability/metrics.ts';
import type { Verdict } from './judge.ts';
import type { DeltaHead } from './line-writes.ts';

type Outcome = Labels<'guardian_canonicalization_candidates_total'>['outcome'];

const givenUp = {
  diverged: 'diverged',
  retry_exhausted: 'retained',
  client_abandoned: 'abandoned',
} as const;

/**
 * Counts what a verdict about a head came to.
 * @param written what the fenced write answered; undefined for a look that decided nothing.
 */
export function countVerdict(
  metrics: Metrics,
  head: DeltaHead,
  verdict: Verdict,
  written: string | undefined,
): void {
  const count = (outcome: Outcome, by = 1) =>
    metrics.count('guardian_canonicalization_candidates_total', { outcome }, by);
  if (written === 'fenced' || written === 'stale_base') return count(written);
  switch (verdict.kind) {
    case 'promote':
      metrics.observe('guardian_canonicalization_candidate_age_seconds', {}, head.age_seconds);
      return count('canonicalized', landedWith(head, verdict.through));
    case 'give_up':
      if (written === 'look_again') return count('divergence_deferred');
      if (written === 'abandoned') return count('abandoned');
      return count(verdict.status === null ? 'discarded' : givenUp[verdict.reason]);
    case 'look_again':
      return count(deferred(head, verdict));
  }
}

/** The candidates before it have landed with it; one that came after the claim is the last. */
function landedWith(head: DeltaHead, through: bigint): number {
  const place = head.candidates.indexOf(through);
  return (place === -1 ? head.candidates.length : place) + 1;
}

function deferred(head: DeltaHead, verdict: Extract<Verdict, { kind: 'look_again' }>): Outcome {
  // a node that lags has as little to say as one that does not answer
  if (verdict.why === 'chain_unavailable' || verdict.why === 'node_behind') {
    return 'chain_unavailable';
  }
  if (verdict.why === 'diverged') return 'divergence_deferred';
  return verdict.retryCount > head.retry_count ? 'retried' : 'grace_deferred';
}
