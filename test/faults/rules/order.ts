/** Every line in order, every candidate once. */
import type { Change, DeltaRow, Run } from '../history.ts';
import { violation, type Violation } from './violation.ts';

type ChangeOf<R extends Change['relation']> = Extract<Change, { relation: R }>;

export function changesOf<R extends Change['relation']>(
  changes: readonly Change[],
  relation: R,
): ChangeOf<R>[] {
  return changes.filter((change): change is ChangeOf<R> => change.relation === relation);
}

/** Only the head of a line is looked at, retried or resolved (K2). */
export function checkHeads(run: Run): Violation[] {
  return changesOf(run.changes, 'candidate').flatMap(({ key, before, after, head }) => {
    const touched = before && (before.state !== after?.state || before.attempts !== after.attempts);
    const parked = after?.state === 'parked' || after?.state === 'discarded';
    if (!touched || head || parked) return [];
    return [violation('order', `candidate ${key} was touched before its elder`)];
  });
}

/** A candidate is resolved once and stays as it is. */
export function checkOnce(run: Run): Violation[] {
  return [
    ...changesOf(run.changes, 'candidate')
      .filter(({ before }) => before?.resolved)
      .map(({ key }) =>
        violation('duplicate', `candidate ${key} was changed after it was resolved`),
      ),
    ...changesOf(run.changes, 'delta')
      .filter(({ before }) => before?.status === 'canonical')
      .map(({ key }) => violation('duplicate', `delta ${key} was changed after it was canonical`)),
  ];
}

/** The canonical deltas of an account are the chain of commitments, in the order of submission. */
export function checkChains(run: Run): Violation[] {
  const violations: Violation[] = [];
  const at = new Map<string, string>();
  const lastNonce = new Map<string, number>();
  for (const change of promotionsInOrder(run.changes)) {
    if (change.relation === 'account' && !change.before && change.after) {
      at.set(change.key, change.after.commitment);
    }
    if (change.relation !== 'delta' || !becameCanonical(change) || !change.after) continue;
    const { account_id: account, nonce, prev, next } = change.after;
    if (at.get(account) !== prev) {
      violations.push(violation('order', `delta ${change.key} does not follow the last canonical`));
    }
    if (nonce <= (lastNonce.get(account) ?? 0)) {
      violations.push(violation('order', `delta ${change.key} became canonical after a later one`));
    }
    at.set(account, next);
    lastNonce.set(account, nonce);
  }
  return [...violations, ...checkSubmissionOrder(run)];
}

/**
 * The same changes, with the promotions of one transaction in the order of their nonces: nobody sees
 * one without the others, and in which order one statement writes its rows means nothing.
 */
function promotionsInOrder(changes: readonly Change[]): Change[] {
  const ordered = [...changes];
  const places = new Map<string, number[]>();
  changes.forEach((change, place) => {
    if (change.relation !== 'delta' || !becameCanonical(change)) return;
    const key = `${change.txid} ${change.after?.account_id}`;
    places.set(key, [...(places.get(key) ?? []), place]);
  });
  for (const group of places.values()) {
    const nonce = (place: number) => {
      const change = changes[place];
      return change?.relation === 'delta' ? (change.after?.nonce ?? 0) : 0;
    };
    const sorted = group.toSorted((a, b) => nonce(a) - nonce(b));
    group.forEach((place, n) => {
      ordered[place] = changes[sorted[n]!]!;
    });
  }
  return ordered;
}

/** Candidates have their numbers in the order in which an account's deltas were sent. */
function checkSubmissionOrder(run: Run): Violation[] {
  const last = new Map<string, DeltaRow>();
  return changesOf(run.changes, 'delta').flatMap(({ key, before, after }) => {
    if (before || !after) return [];
    const elder = last.get(after.account_id);
    last.set(after.account_id, after);
    const inOrder =
      !elder ||
      (elder.nonce < after.nonce && BigInt(elder.candidate_id) < BigInt(after.candidate_id));
    return inOrder ? [] : [violation('order', `delta ${key} was accepted after a later one`)];
  });
}

export function becameCanonical({ before, after }: ChangeOf<'delta'>): boolean {
  return after?.status === 'canonical' && before?.status !== 'canonical';
}
