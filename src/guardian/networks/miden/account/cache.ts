import { midenLimits } from '../../../../limits.ts';
import type { Account } from './account.ts';
import type { Word } from '../word.ts';

export interface KnownAccount {
  account: Account;
  commitment: Word;
}

/** Words, leaf and branch of one map entry in memory: 1.5 to 1.9 KB measured. */
const ENTRY_BYTES = 2_048;

function sizeOf({ account }: KnownAccount): number {
  let size = account.code.forest.length + ENTRY_BYTES;
  for (const slot of account.slots) {
    size += ENTRY_BYTES * (slot.type === 'map' ? 1 + slot.map.entries.length : 1);
  }
  return size;
}

/**
 * Accounts that were parsed and hashed, the least recently used ones forgotten first. States of one
 * account share most of their tree, so the count of bytes errs on the large side.
 */
export class AccountCache {
  private readonly accounts = new Map<string, KnownAccount>();
  private bytes = 0;

  /** @param identity digest of the account's serialized state. */
  get(identity: string): KnownAccount | undefined {
    const known = this.accounts.get(identity);
    if (known !== undefined) {
      this.accounts.delete(identity);
      this.accounts.set(identity, known);
    }
    return known;
  }

  set(identity: string, known: KnownAccount): void {
    this.forget(identity);
    this.accounts.set(identity, known);
    this.bytes += sizeOf(known);
    for (const oldest of this.accounts.keys()) {
      if (
        this.accounts.size <= midenLimits.cachedAccounts &&
        this.bytes <= midenLimits.cachedBytes
      ) {
        break;
      }
      this.forget(oldest);
    }
  }

  private forget(identity: string): void {
    const known = this.accounts.get(identity);
    if (known === undefined) return;
    this.accounts.delete(identity);
    this.bytes -= sizeOf(known);
  }
}
