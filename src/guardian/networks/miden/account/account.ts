import type { AccountId } from '../codec/account-id.ts';
import type { SlotName } from '../codec/slot-name.ts';
import type { Word } from '../word.ts';
import type { StorageMap } from './storage-map.ts';

/** Protocols differ in the code's format, the summary's format, and the multisig slot names. */
export type Protocol = '0.15' | '0.16';

export type StorageSlot =
  { type: 'value'; name: SlotName; value: Word } | { type: 'map'; name: SlotName; map: StorageMap };

export interface AccountCode {
  /** Told by the version in the forest's bytes. */
  protocol: Protocol;
  /** The serialized MAST forest, carried verbatim. */
  forest: Uint8Array;
  /** Roots of the account's procedures, in their order; at least one. */
  procedures: readonly Word[];
  commitment: Word;
}

/** An account with an empty vault. Immutable: applying a delta gives another one. */
export interface Account {
  id: AccountId;
  /** Ordered by slot id, no two with the same. */
  slots: readonly StorageSlot[];
  code: AccountCode;
  /** The account's own transaction counter. */
  nonce: bigint;
  /** What the id was derived from; an account has it exactly as long as its nonce is 0. */
  seed: Word | null;
}

export function findSlot(account: Account, name: SlotName): StorageSlot | undefined {
  return account.slots.find((slot) => slot.name.text === name.text);
}
