/** Why a candidate waits or was given up, and whether everybody can see it (K7, K8). */
import type { Expectations, Run } from '../history.ts';
import { changesOf } from './order.ts';
import { violation, type Violation } from './violation.ts';

/** A delta is given up on evidence of the chain only (K7). */
export function checkGivenUp(run: Run, { mayGiveUp }: Expectations): Violation[] {
  if (mayGiveUp) return [];
  return changesOf(run.changes, 'candidate').flatMap(({ key, after }) =>
    after && ['parked', 'discarded', 'halted'].includes(after.state)
      ? [violation('given-up', `candidate ${key} was ${after.state}: ${after.why}`)]
      : [],
  );
}

/**
 * A look that the chain did not answer shows nothing: neither what the delta was seen to do nor the
 * failures of its decision go on because of it (K7).
 */
export function checkEvidence(run: Run): Violation[] {
  const looks = changesOf(run.changes, 'candidate').filter(
    ({ before, after }) =>
      before && after?.why === 'chain_unavailable' && after.attempts > before.attempts,
  );
  const unanswered = new Set(looks.map(({ txid, key }) => `${txid} ${key}`));
  const counted = changesOf(run.changes, 'delta').filter(
    ({ txid, before, after }) =>
      before &&
      after &&
      unanswered.has(`${txid} ${after.candidate_id}`) &&
      String(before.evidence) !== String(after.evidence),
  );
  const spent = looks.filter(({ before, after }) => after!.failures > before!.failures);
  return [
    ...counted.map(({ key }) => violation('evidence', `an outage was counted for delta ${key}`)),
    ...spent.map(({ key }) => violation('evidence', `an outage cost candidate ${key} an attempt`)),
  ];
}

/** What halts leaves a failed job for the engine's own tools, and nothing else does (K8). */
export function checkMarkers(run: Run): Violation[] {
  return changesOf(run.changes, 'marker').map(({ key }) =>
    violation('marker', `candidate ${key} and the failed jobs disagree about whether it halted`),
  );
}
