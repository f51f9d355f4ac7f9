import type { Account, AccountCode, StorageSlot } from '../account/account.ts';
import { codeCommitment, idElements, storageCommitment } from '../account/commitment.ts';
import { type MapEntry, StorageMap } from '../account/storage-map.ts';
import { UnverifiableError } from '../../network.ts';
import { midenLimits } from '../../../../limits.ts';
import { compareWords, type Word, wordEquals, wordToBytes, ZERO_WORD } from '../word.ts';
import { type AccountId, accountIdToBytes, readAccountId } from './account-id.ts';
import { type MastForest, readMastForest } from './mast-forest.ts';
import { requireSameBytes } from './canonical.ts';
import { Reader } from './reader.ts';
import { compareSlotNames, readSlotName, writeSlotName } from './slot-name.ts';
import { Writer } from './writer.ts';

const WORD_BYTES = 32;
const TYPE_VALUE = 0;
const TYPE_MAP = 1;
/** Name (length, five characters at least), type, and a count or a word. */
const LEAST_SLOT_BYTES = 8;

/** `count` entries, which must be strictly ordered by key and not zero. */
export function readMapEntries(reader: Reader): MapEntry[] {
  const count = reader.count(2 * WORD_BYTES);
  const entries: MapEntry[] = [];
  let previous: Word | null = null;
  for (let i = 0; i < count; i++) {
    const key = reader.word();
    if (previous !== null && compareWords(previous, key) >= 0) {
      throw reader.refusal('map keys are not in strictly ascending order');
    }
    const value = reader.word();
    if (wordEquals(value, ZERO_WORD)) throw reader.refusal('a map entry has a zero value');
    entries.push([key, value]);
    previous = key;
  }
  return entries;
}

export function writeMapEntries(writer: Writer, entries: readonly MapEntry[]): void {
  writer.usize(entries.length);
  for (const [key, value] of entries) writer.word(key).word(value);
}

function readSlots(reader: Reader): StorageSlot[] {
  const count = reader.u8();
  reader.expect(count, LEAST_SLOT_BYTES);
  const slots: StorageSlot[] = [];
  for (let i = 0; i < count; i++) {
    const name = readSlotName(reader);
    const previous = slots.at(-1);
    if (previous !== undefined && compareSlotNames(previous.name, name) >= 0) {
      throw reader.refusal('storage slots are not in strictly ascending order of their ids');
    }
    const type = reader.u8();
    if (type === TYPE_VALUE) slots.push({ type: 'value', name, value: reader.word() });
    else if (type === TYPE_MAP) {
      slots.push({ type: 'map', name, map: new StorageMap(readMapEntries(reader)) });
    } else throw reader.refusal('unknown type of a storage slot');
  }
  return slots;
}

function writeSlots(writer: Writer, slots: readonly StorageSlot[]): void {
  writer.u8(slots.length);
  for (const slot of slots) {
    writeSlotName(writer, slot.name);
    if (slot.type === 'value') writer.u8(TYPE_VALUE).word(slot.value);
    else {
      writer.u8(TYPE_MAP);
      writeMapEntries(writer, slot.map.entries);
    }
  }
}

/** Whether each procedure is a node of the forest, in one pass over the digests. */
function areInForest(procedures: readonly Word[], forest: MastForest): boolean {
  const missing = new Map<bigint, Uint8Array[]>();
  for (const procedure of procedures) {
    const same = missing.get(procedure[0]) ?? [];
    missing.set(procedure[0], [...same, wordToBytes(procedure)]);
  }
  const { digests } = forest;
  const view = new DataView(digests.buffer, digests.byteOffset, digests.byteLength);
  for (let at = 0; at < digests.length && missing.size > 0; at += WORD_BYTES) {
    const first = view.getBigUint64(at, true);
    const left = missing
      .get(first)
      ?.filter((bytes) => bytes.some((byte, i) => byte !== digests[at + i]));
    if (left === undefined) continue;
    if (left.length === 0) missing.delete(first);
    else missing.set(first, left);
  }
  return missing.size === 0;
}

function readCode(reader: Reader, origin: AccountOrigin): AccountCode {
  const forest = readMastForest(reader);
  const count = reader.u8() + 1;
  reader.expect(count, WORD_BYTES);
  const procedures = Array.from({ length: count }, () => reader.word());
  if (origin === 'derived' && !areInForest(procedures, forest)) {
    throw reader.refusal('a procedure of the account is not in its MAST forest');
  }
  const commitment = codeCommitment(procedures);
  // A copy: a view would keep all of the state's bytes alive as long as the account.
  return { protocol: forest.protocol, forest: forest.bytes.slice(), procedures, commitment };
}

/** A new account must carry the seed that gives its id; an existing one must not carry a seed. */
function checkSeed(account: Account, origin: AccountOrigin): void {
  const { id, seed, nonce, code, slots } = account;
  if ((seed === null) === (nonce === 0n)) {
    throw new UnverifiableError('account state: a seed belongs to an account of nonce 0, and only');
  }
  if (seed === null || origin === 'any') return;
  const [prefix, suffix] = idElements(seed, code.commitment, storageCommitment(slots));
  if (prefix !== id.prefix || suffix !== id.suffix) {
    throw new UnverifiableError('account state: the seed does not give the account id');
  }
}

/**
 * `derived`: the id of a new account must follow from its seed, code and storage, and its
 * procedures must be in its forest, as the chain demands. `any` leaves both out, for accounts
 * made by hand on a local chain and for states that were checked before they were stored.
 */
export type AccountOrigin = 'derived' | 'any';

/**
 * Reads an account of protocol 0.15 or 0.16 (told by its MAST version). Layout: id, vault, storage,
 * code, nonce, optional seed.
 * @throws UnverifiableError on everything that the Rust code would refuse, that it would write
 *   differently, or that cannot be verified (a vault with assets).
 */
export function parseAccount(bytes: Uint8Array, origin: AccountOrigin = 'derived'): Account {
  if (bytes.length > midenLimits.stateBytes)
    throw new UnverifiableError('account state: too large');
  const reader = new Reader(bytes, 'account state');
  const id: AccountId = readAccountId(reader);
  if (reader.usize() !== 0) {
    throw reader.refusal('the vault holds assets, whose layout is not verified');
  }
  const slots = readSlots(reader);
  const code = readCode(reader, origin);
  const nonce = reader.felt();
  const seed = reader.isPresent() ? reader.word() : null;
  reader.end();
  const account: Account = { id, slots, code, nonce, seed };
  requireSameBytes('account state', bytes, serializeAccount(account));
  checkSeed(account, origin);
  return account;
}

/** The bytes that `parseAccount` reads. */
export function serializeAccount(account: Account): Uint8Array {
  const writer = new Writer(account.code.forest.length + 4_096);
  writer.raw(accountIdToBytes(account.id)).usize(0);
  writeSlots(writer, account.slots);
  writer.raw(account.code.forest).u8(account.code.procedures.length - 1);
  for (const procedure of account.code.procedures) writer.word(procedure);
  writer.u64(account.nonce);
  if (account.seed === null) writer.u8(0);
  else writer.u8(1).word(account.seed);
  return writer.finish();
}
