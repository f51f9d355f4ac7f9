import type { SignatureScheme } from '../../network.ts';
import { serializeAccount } from '../codec/account.ts';
import { type AccountId, accountIdFromElements } from '../codec/account-id.ts';
import { externalForest } from '../codec/mast-forest.ts';
import { compareSlotNames, type SlotName } from '../codec/slot-name.ts';
import { hashElements } from '../hash/poseidon2.ts';
import { type Word, wordFromHex } from '../word.ts';
import type { Account, Protocol, StorageSlot } from './account.ts';
import { codeCommitment, idElements, storageCommitment } from './commitment.ts';
import { indexKey, multisigSlots, schemeWord, SET_FLAG } from './multisig.ts';
import { type MapEntry, StorageMap } from './storage-map.ts';

export interface AccountPlan {
  protocol: Protocol;
  /** Key commitments of the cosigners, as `0x` and 64 hex digits. */
  signers: readonly string[];
  /** Of the signers and of the guardian. */
  scheme: SignatureScheme;
  /** Signatures needed. */
  threshold: number;
  /** Key commitment of the guardian. */
  guardian: string;
  /** Tells accounts apart that are alike otherwise. */
  salt: bigint;
  /** 0, the default, gives a new account with its seed; more an account that is on chain. */
  nonce?: bigint;
}

/** Lowest byte of the prefix: version 1, all other bits as in the published 0.16 account. */
const ID_BYTE = 0x01n;
/** More than the published multisig has would add nothing. */
const PROCEDURES = 3;

function mapSlot(name: SlotName, values: readonly Word[]): StorageSlot {
  const entries = values.map((value, i): MapEntry => [indexKey(i), value]);
  return { type: 'map', name, map: new StorageMap(entries) };
}

function buildSlots(plan: AccountPlan): StorageSlot[] {
  const slots = multisigSlots(plan.protocol);
  const signers = plan.signers.map(wordFromHex);
  const scheme = schemeWord(plan.scheme);
  const thresholdConfig: Word = [BigInt(plan.threshold), BigInt(signers.length), 0n, 0n];
  const storage: StorageSlot[] = [
    { type: 'value', name: slots.thresholdConfig, value: thresholdConfig },
    mapSlot(slots.signers, signers),
    mapSlot(
      slots.signerSchemes,
      signers.map(() => scheme),
    ),
    mapSlot(slots.procedureThresholds, []),
    mapSlot(slots.executedTransactions, []),
    mapSlot(slots.guardianKey, [wordFromHex(plan.guardian)]),
    mapSlot(slots.guardianScheme, [scheme]),
  ];
  if (slots.guardianSelector !== null) {
    storage.push({ type: 'value', name: slots.guardianSelector, value: SET_FLAG });
  }
  return storage.toSorted((a, b) => compareSlotNames(a.name, b.name));
}

/** Tries seeds until one gives a valid id: 512 on average, about 5 ms. */
function grindId(salt: bigint, code: Word, storage: Word): { id: AccountId; seed: Word } {
  for (let attempt = 0n; ; attempt++) {
    const seed: Word = [salt, attempt, 0n, 0n];
    const [prefix, suffix] = idElements(seed, code, storage);
    if ((prefix & 0xffn) === ID_BYTE && suffix >> 63n === 0n) {
      return { id: accountIdFromElements(prefix, suffix), seed };
    }
  }
}

/**
 * A serialized multisig account, guarded by a guardian, for the demo, the development chain and
 * tests. Format, storage, id and commitment are the real ones; its procedures are stand-ins that no
 * VM can run.
 * @throws UnverifiableError when a key commitment is not a word.
 */
export function buildAccount(plan: AccountPlan): Uint8Array {
  const { protocol, nonce = 0n } = plan;
  const slots = buildSlots(plan);
  const procedures = Array.from({ length: PROCEDURES }, (_, i) => hashElements([BigInt(i)]));
  const commitment = codeCommitment(procedures);
  const code = {
    protocol,
    forest: externalForest(protocol, procedures),
    procedures,
    commitment,
  };
  const { id, seed } = grindId(plan.salt, commitment, storageCommitment(slots));
  const account: Account = { id, slots, code, nonce, seed: nonce === 0n ? seed : null };
  return serializeAccount(account);
}
