/** Nothing is forgotten, nothing takes longer than it may, nothing is left behind. */
import type { Expectations, Run } from '../history.ts';
import { becameCanonical, changesOf } from './order.ts';
import { violation, type Violation } from './violation.ts';

/** Wake-ups commit with what they wake, and the sweep finds none missing (K1). */
export function checkWakeUps(run: Run): Violation[] {
  return [
    ...changesOf(run.changes, 'unwoken').map(({ key }) =>
      violation('wake-up', `candidate ${key} was committed without a wake-up`),
    ),
    ...changesOf(run.changes, 'swept').map(({ key }) =>
      violation('wake-up', `the sweep had to wake ${key} lines`),
    ),
  ];
}

export function checkLeftovers(run: Run): Violation[] {
  return run.final.leftovers.map((what) => violation('leftover', what));
}

/** A run in which nothing happened shows nothing. */
export function checkWork(run: Run): Violation[] {
  if (run.final.deltas.some(({ status }) => status === 'canonical')) return [];
  return [violation('idle', 'no delta became canonical')];
}

interface Delay {
  key: string;
  ms: number;
  /** A fault went on while the delta waited. */
  disturbed: boolean;
}

/** Time from "landed, stored, and the last fault over" to canonical, of every delta. */
export function delaysOf(run: Run): Delay[] {
  const faults = faultsOf(run);
  const landed = landingsOf(run);
  const stored = new Map(
    changesOf(run.changes, 'delta').flatMap(({ key, before, at }) => (before ? [] : [[key, at]])),
  );
  return changesOf(run.changes, 'delta').flatMap((change) => {
    if (!becameCanonical(change) || !change.after) return [];
    const { account_id: account, nonce } = change.after;
    const since = Math.max(stored.get(change.key) ?? 0, landed(account, nonce));
    const during = faults.filter(({ begin, end }) => begin < change.at && end > since);
    const healed = Math.max(since, ...during.map(({ end }) => Math.min(end, change.at)));
    return [{ key: change.key, ms: change.at - healed, disturbed: during.length > 0 }];
  });
}

/** @returns when the transaction of a delta, or of a later one, landed. */
function landingsOf(run: Run): (account: string, nonce: number) => number {
  const nonceOf = new Map(
    run.events.flatMap((event) =>
      event.kind === 'attempted' ? [[`${event.account} ${event.next}`, event.nonce]] : [],
    ),
  );
  const landings = run.events.flatMap((event) =>
    event.kind === 'landed' ? [{ ...event, key: `${event.account} ${event.next}` }] : [],
  );
  return (account, nonce) =>
    landings.find((event) => event.account === account && (nonceOf.get(event.key) ?? 0) >= nonce)
      ?.at ?? 0;
}

/** Begin and end of each fault; one that only ended was over at once. */
function faultsOf(run: Run): { begin: number; end: number }[] {
  const begun = new Map<string, number>();
  const faults: { begin: number; end: number }[] = [];
  for (const event of run.events) {
    if (event.kind !== 'fault') continue;
    if (event.phase === 'begin') begun.set(event.what, event.at);
    else faults.push({ begin: begun.get(event.what) ?? event.at, end: event.at });
  }
  return faults;
}

export function checkDelays(run: Run, { boundMs }: Expectations): Violation[] {
  return delaysOf(run)
    .filter(({ ms }) => ms > boundMs)
    .map(({ key, ms }) =>
      violation('late', `delta ${key} became canonical after ${Math.round(ms)} ms`),
    );
}
