import { type MapEntry } from '../account/storage-map.ts';
import { compareSlotNames } from '../codec/slot-name.ts';
import { compareWords, wordToHex } from '../word.ts';
import type { SlotChange, TransactionSummary } from './summary.ts';

/**
 * One summary with the effect of several, in order (protocol §1.4, C8): the last write of a slot
 * or key counts, nonces add up, and what else is bound comes from the last.
 *
 * @param summaries at least one, all of one account and protocol.
 */
export function mergeSummaries(
  summaries: readonly [TransactionSummary, ...TransactionSummary[]],
): TransactionSummary {
  const changes = new Map<string, SlotChange>();
  for (const change of summaries.flatMap((summary) => summary.changes)) {
    const before = changes.get(change.name.text);
    const merged =
      change.type === 'map' && before?.type === 'map'
        ? { ...change, entries: mergeEntries(before.entries, change.entries) }
        : change;
    changes.set(change.name.text, merged);
  }
  const last = summaries.at(-1) ?? summaries[0];
  return {
    accountId: last.accountId,
    changes: [...changes.values()].toSorted((a, b) => compareSlotNames(a.name, b.name)),
    nonceDelta: summaries.reduce((sum, { nonceDelta }) => sum + nonceDelta, 0n),
    binding: last.binding,
  };
}

function mergeEntries(before: readonly MapEntry[], after: readonly MapEntry[]): MapEntry[] {
  const entries = new Map([...before, ...after].map((entry) => [wordToHex(entry[0]), entry]));
  return [...entries.values()].toSorted(([a], [b]) => compareWords(a, b));
}
