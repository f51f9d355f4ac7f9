import type { MapEntry } from '../account/storage-map.ts';
import type { AccountId } from '../codec/account-id.ts';
import type { SlotName } from '../codec/slot-name.ts';
import type { Word } from '../word.ts';

/** What a transaction does to one existing slot. */
export type SlotChange =
  | { type: 'value'; name: SlotName; value: Word }
  /** At least one entry, ordered by key; a zero value removes the key. */
  | { type: 'map'; name: SlotName; entries: readonly MapEntry[] };

/** What else the commitment binds. */
export type Binding =
  | { protocol: '0.15'; salt: Word }
  | {
      protocol: '0.16';
      blockCommitment: Word;
      /** 16 bits. */
      expirationDelta: number;
      /** Seven elements; the standard multisig keeps its salt in them. */
      userParameters: readonly bigint[];
    };

/** The effects of a transaction without assets, notes or new code, as cosigners sign them. */
export interface TransactionSummary {
  accountId: AccountId;
  /** Ordered by slot id, no two of the same slot. */
  changes: readonly SlotChange[];
  /** At least 1. */
  nonceDelta: bigint;
  binding: Binding;
}
