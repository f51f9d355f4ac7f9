import { UnverifiableError } from '../../network.ts';
import { P } from '../field.ts';
import type { SlotName } from '../codec/slot-name.ts';
import type { SlotChange, TransactionSummary } from '../summary/summary.ts';
import { type Word, wordEquals, ZERO_WORD } from '../word.ts';
import { type Account, findSlot, type StorageSlot } from './account.ts';
import { multisigSlots, SET_FLAG, mapOf, valueOf } from './multisig.ts';

function changeSlot(slot: StorageSlot, change: SlotChange): StorageSlot {
  if (slot.type === 'value' && change.type === 'value') return { ...slot, value: change.value };
  if (slot.type === 'map' && change.type === 'map') {
    return { ...slot, map: slot.map.change(change.entries) };
  }
  throw new UnverifiableError(`slot ${slot.name.text} is changed as if it were of another type`);
}

function replaceSlot(account: Account, change: SlotChange): Account {
  const at = account.slots.findIndex((slot) => slot.name.text === change.name.text);
  const slot = account.slots[at];
  if (slot === undefined) {
    throw new UnverifiableError(`the account has no slot ${change.name.text}`);
  }
  return { ...account, slots: account.slots.with(at, changeSlot(slot, change)) };
}

function applySummary(account: Account, summary: TransactionSummary): Account {
  const nonce = account.nonce + summary.nonceDelta;
  if (nonce >= P) throw new UnverifiableError('the account nonce overflows');
  const changed = summary.changes.reduce(replaceSlot, account);
  return { ...changed, nonce, seed: null };
}

function isOn(account: Account, selector: SlotName): boolean {
  return wordEquals(valueOf(account, selector) ?? ZERO_WORD, SET_FLAG);
}

/**
 * Applies a transaction summary the way the chain will: its own changes, then what the account's
 * authentication procedure does after the summary was made. That is, on a multisig account, to
 * remember the transaction, and on protocol 0.15 to switch the guardian back on if it was on
 * (protocol dossier 4.9).
 * @param commitment the commitment of `summary`.
 * @throws UnverifiableError when the summary does not fit the account.
 */
export function applyToAccount(
  account: Account,
  summary: TransactionSummary,
  commitment: Word,
): Account {
  const slots = multisigSlots(account.code.protocol);
  let result = applySummary(account, summary);
  if (findSlot(account, slots.thresholdConfig) !== undefined) {
    const name = slots.executedTransactions;
    if (!wordEquals(mapOf(account, name).get(commitment), ZERO_WORD)) {
      throw new UnverifiableError('the account has already executed this transaction');
    }
    result = replaceSlot(result, { type: 'map', name, entries: [[commitment, SET_FLAG]] });
  }
  const selector = slots.guardianSelector;
  if (selector !== null && isOn(account, selector)) {
    result = replaceSlot(result, { type: 'value', name: selector, value: SET_FLAG });
  }
  return result;
}
