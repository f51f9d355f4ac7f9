/** A resolution is one transaction: candidate, delta and account together or not at all (K4). */
import type { Change, DeltaRow, Run } from '../history.ts';
import { becameCanonical, changesOf } from './order.ts';
import { violation, type Violation } from './violation.ts';

export function checkTransactions(run: Run): Violation[] {
  const transactions = new Map<string, Change[]>();
  for (const change of run.changes) {
    const changes = transactions.get(change.txid);
    if (changes) changes.push(change);
    else transactions.set(change.txid, [change]);
  }
  return [...transactions.values()].flatMap((changes) => [
    ...checkResolutions(changes),
    ...checkMoves(changes),
    ...checkSubmissions(changes),
  ]);
}

/** What each state of a candidate means for its delta. */
const statuses: Record<string, string> = {
  finalized: 'canonical',
  parked: 'retained',
  discarded: 'discarded',
};

/** Candidates that were resolved, and deltas that stopped being candidates, are the same. */
function checkResolutions(changes: Change[]): Violation[] {
  const resolved = new Map(
    changesOf(changes, 'candidate').flatMap(({ key, before, after }) =>
      before && !before.resolved && after?.resolved ? [[key, after.state] as const] : [],
    ),
  );
  const settled = new Map(
    changesOf(changes, 'delta').flatMap(({ before, after }) =>
      before?.status === 'candidate' && after?.status !== 'candidate'
        ? [[before.candidate_id, after?.status ?? 'discarded'] as const]
        : [],
    ),
  );
  const ids = new Set([...resolved.keys(), ...settled.keys()]);
  return [...ids].flatMap((id) => {
    const [state, status] = [resolved.get(id), settled.get(id)];
    if (state !== undefined && statuses[state] === status) return [];
    return [
      violation('partial', `candidate ${id} is ${state ?? 'open'}, its delta ${status ?? 'open'}`),
    ];
  });
}

/** An account moves with the deltas that became canonical, from their base to their result. */
function checkMoves(changes: Change[]): Violation[] {
  const canonical = Map.groupBy(
    changesOf(changes, 'delta')
      .filter(becameCanonical)
      .flatMap(({ after }) => after ?? []),
    ({ account_id: account }) => account,
  );
  const moves = Map.groupBy(
    changesOf(changes, 'account').filter(({ before }) => before !== null),
    ({ key }) => key,
  );
  const accounts = new Set([...canonical.keys(), ...moves.keys()]);
  return [...accounts].flatMap((account) => {
    const deltas = (canonical.get(account) ?? []).toSorted((a, b) => a.nonce - b.nonce);
    const [move, ...more] = moves.get(account) ?? [];
    const fits =
      more.length === 0 &&
      move?.before?.commitment === deltas[0]?.prev &&
      move?.after?.commitment === deltas.at(-1)?.next &&
      isChain(deltas);
    return fits ? [] : [violation('partial', `account ${account} moved otherwise than its deltas`)];
  });
}

function isChain(deltas: DeltaRow[]): boolean {
  return deltas.every((delta, i) => i === 0 || deltas[i - 1]?.next === delta.prev);
}

/** A candidate and what it is about are submitted together (K1). */
function checkSubmissions(changes: Change[]): Violation[] {
  const candidates = changesOf(changes, 'candidate').filter(({ before }) => before === null);
  const deltas = changesOf(changes, 'delta').filter(({ before }) => before === null);
  const ids = new Set(deltas.map(({ after }) => after?.candidate_id));
  if (candidates.length === ids.size && candidates.every(({ key }) => ids.has(key))) return [];
  return candidates.map(({ key }) => violation('partial', `candidate ${key} came without a delta`));
}
