import { type SignatureScheme, UnverifiableError } from '../../network.ts';
import { type SlotName, slotName } from '../codec/slot-name.ts';
import { type Word, wordEquals, ZERO_WORD } from '../word.ts';
import { type Account, findSlot, type Protocol } from './account.ts';
import { StorageMap } from './storage-map.ts';

/** The slots of the multisig and guardian components that Guardian reads or changes. */
interface MultisigSlots {
  /** [threshold, number of signers, 0, 0]. */
  thresholdConfig: SlotName;
  /** [index, 0, 0, 0] to the signer's key commitment. */
  signers: SlotName;
  /** [index, 0, 0, 0] to [scheme, 0, 0, 0]. */
  signerSchemes: SlotName;
  /** Procedure root to its own threshold. */
  procedureThresholds: SlotName;
  /** Summary commitment to [1, 0, 0, 0]. */
  executedTransactions: SlotName;
  /** The zero key to the guardian's key commitment. */
  guardianKey: SlotName;
  /** The zero key to [scheme, 0, 0, 0]. */
  guardianScheme: SlotName;
  /** [1, 0, 0, 0] while the guardian must sign; 0.16 has no switch, its guardian always must. */
  guardianSelector: SlotName | null;
}

const SLOTS: Record<Protocol, MultisigSlots> = {
  '0.15': {
    thresholdConfig: slotName('openzeppelin::multisig::threshold_config'),
    signers: slotName('openzeppelin::multisig::signer_public_keys'),
    signerSchemes: slotName('openzeppelin::multisig::signer_scheme_ids'),
    procedureThresholds: slotName('openzeppelin::multisig::procedure_thresholds'),
    executedTransactions: slotName('openzeppelin::multisig::executed_transactions'),
    guardianKey: slotName('openzeppelin::guardian::public_key'),
    guardianScheme: slotName('openzeppelin::guardian::scheme_id'),
    guardianSelector: slotName('openzeppelin::guardian::selector'),
  },
  '0.16': {
    thresholdConfig: slotName('miden::standards::auth::multisig::threshold_config'),
    signers: slotName('miden::standards::auth::multisig::approver_public_keys'),
    signerSchemes: slotName('miden::standards::auth::multisig::approver_schemes'),
    procedureThresholds: slotName('miden::standards::auth::multisig::procedure_thresholds'),
    executedTransactions: slotName('miden::standards::auth::multisig::executed_transactions'),
    guardianKey: slotName('miden::standards::auth::guardian::pub_key'),
    guardianScheme: slotName('miden::standards::auth::guardian::scheme'),
    guardianSelector: null,
  },
};

export function multisigSlots(protocol: Protocol): MultisigSlots {
  return SLOTS[protocol];
}

/** "Executed" and "on" in the multisig's maps and switches. */
export const SET_FLAG: Word = [1n, 0n, 0n, 0n];

/** How a key's scheme is stored: the numbers of miden-protocol's `AuthScheme`. */
export function schemeWord(scheme: SignatureScheme): Word {
  return [scheme === 'ecdsa' ? 1n : 2n, 0n, 0n, 0n];
}

/** The key of a list element in a storage map. */
export function indexKey(index: number): Word {
  return [BigInt(index), 0n, 0n, 0n];
}

/** The map of a slot; an empty one when the account has no such slot. */
export function mapOf(account: Account, name: SlotName): StorageMap {
  const slot = findSlot(account, name);
  if (slot === undefined) return StorageMap.empty;
  if (slot.type !== 'map') throw new UnverifiableError(`slot ${name.text} is not a map`);
  return slot.map;
}

/** The value of a slot, or null when the account has no such slot. */
export function valueOf(account: Account, name: SlotName): Word | null {
  const slot = findSlot(account, name);
  if (slot === undefined) return null;
  if (slot.type !== 'value') throw new UnverifiableError(`slot ${name.text} is not a value`);
  return slot.value;
}

interface MultisigFacts {
  /** In order of their indices. */
  signers: readonly Word[];
  threshold: number | null;
  guardian: Word | null;
}

/**
 * Who guards the account. An account without the multisig slots has no signers and no threshold.
 * The guardian's key is told even while its switch is off: the switch says whether the chain asks
 * for its signature, not who it is.
 * @throws UnverifiableError when a slot is of the wrong type or the threshold is absurd.
 */
export function multisigFacts(account: Account): MultisigFacts {
  const slots = multisigSlots(account.code.protocol);
  const threshold = valueOf(account, slots.thresholdConfig)?.[0] ?? null;
  if (threshold !== null && threshold > 0xffffffffn) {
    throw new UnverifiableError('the multisig threshold is not a 32-bit number');
  }
  // Map order is by the last element first, so keys [index, 0, 0, 0] come first and by index.
  const signers = mapOf(account, slots.signers).entries.filter(
    ([key]) => key[1] === 0n && key[2] === 0n && key[3] === 0n,
  );
  const guardian = mapOf(account, slots.guardianKey).get(ZERO_WORD);
  return {
    signers: signers.map(([, commitment]) => commitment),
    threshold: threshold === null ? null : Number(threshold),
    guardian: wordEquals(guardian, ZERO_WORD) ? null : guardian,
  };
}
