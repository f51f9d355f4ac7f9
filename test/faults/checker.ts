/** Says whether a run kept the kernel's promises. Looks at records only. */
import type { Expectations, Run } from './history.ts';
import { checkTransactions } from './rules/atomicity.ts';
import {
  checkAcknowledged,
  checkFinished,
  checkObserved,
  checkRefusals,
} from './rules/durability.ts';
import { checkFences } from './rules/fencing.ts';
import {
  checkDelays,
  checkLeftovers,
  checkWakeUps,
  checkWork,
  delaysOf,
} from './rules/liveness.ts';
import { checkEvidence, checkGivenUp, checkMarkers } from './rules/explanation.ts';
import { checkChains, checkHeads, checkOnce } from './rules/order.ts';
import type { Violation } from './rules/violation.ts';

export interface Report {
  violations: Violation[];
  canonical: number;
  /** Longest time from the end of a fault to canonical, of the deltas that waited in it. */
  maxRecoveryMs: number;
}

export function check(run: Run, expectations: Expectations): Report {
  const recoveries = delaysOf(run).flatMap(({ ms, disturbed }) => (disturbed ? [ms] : []));
  return {
    violations: [
      ...checkAcknowledged(run),
      ...checkObserved(run),
      ...checkFinished(run),
      ...checkRefusals(run),
      ...checkHeads(run),
      ...checkOnce(run),
      ...checkChains(run),
      ...checkTransactions(run),
      ...checkFences(run),
      ...checkWakeUps(run),
      ...checkGivenUp(run, expectations),
      ...checkEvidence(run),
      ...checkMarkers(run),
      ...checkLeftovers(run),
      ...checkDelays(run, expectations),
      ...checkWork(run),
    ],
    canonical: run.final.deltas.filter(({ status }) => status === 'canonical').length,
    maxRecoveryMs: Math.round(Math.max(0, ...recoveries)),
  };
}
