import { UnverifiableError } from '../../network.ts';
import { multisigSlots } from '../account/multisig.ts';
import { wordEquals, wordToHex, ZERO_WORD, type Word } from '../word.ts';
import { parseSummary } from './codec.ts';
import type { SlotChange, TransactionSummary } from './summary.ts';

/** What a transaction does, for people; a summary that can be read has neither assets nor notes. */
export interface DescribedSummary {
  storage: StorageChange[];
  /** It names another guardian. */
  switchesGuardian: boolean;
}

export interface StorageChange {
  slot: string;
  /** Of a map: `0x` + 64 hex digits. */
  key?: string;
  /** `0x` + 64 hex digits, or null: cleared. */
  after: string | null;
}

/**
 * Describes summaries, each on its own and in the protocol it can be read in.
 * @returns null for bytes that are no summary.
 */
export function describeSummaries(summaries: readonly Uint8Array[]): (DescribedSummary | null)[] {
  return summaries.map((bytes) => {
    const summary = read(bytes);
    return summary && describe(summary);
  });
}

function read(bytes: Uint8Array): TransactionSummary | null {
  for (const protocol of ['0.16', '0.15'] as const) {
    try {
      return parseSummary(bytes, protocol);
    } catch (error) {
      if (!(error instanceof UnverifiableError)) throw error;
    }
  }
  return null;
}

function describe({ changes, binding }: TransactionSummary): DescribedSummary {
  const guardianSlot = multisigSlots(binding.protocol).guardianKey.text;
  return {
    storage: changes.flatMap(storageChanges),
    switchesGuardian: changes.some(({ name }) => name.text === guardianSlot),
  };
}

function storageChanges(change: SlotChange): StorageChange[] {
  const slot = change.name.text;
  if (change.type === 'value') return [{ slot, after: shown(change.value) }];
  return change.entries.map(([key, value]) => ({
    slot,
    key: wordToHex(key),
    after: shown(value),
  }));
}

const shown = (value: Word) => (wordEquals(value, ZERO_WORD) ? null : wordToHex(value));
