import { UnverifiableError } from '../../network.ts';
import { midenLimits } from '../../../../limits.ts';
import type { Protocol } from '../account/account.ts';
import { readMapEntries, writeMapEntries } from '../codec/account.ts';
import type { MapEntry } from '../account/storage-map.ts';
import { type AccountId, accountIdToBytes, readAccountId } from '../codec/account-id.ts';
import { Reader } from '../codec/reader.ts';
import { compareSlotNames, readSlotName, writeSlotName } from '../codec/slot-name.ts';
import { Writer } from '../codec/writer.ts';
import { requireSameBytes } from '../codec/canonical.ts';
import { compareWords, wordEquals, ZERO_WORD } from '../word.ts';
import type { Binding, SlotChange, TransactionSummary } from './summary.ts';

const WORD_BYTES = 32;
const TYPE_VALUE = 0;
const TYPE_MAP = 1;
const OPERATION_UPDATE = 1;
const USER_PARAMETERS = 7;

const isCleared = ([, value]: MapEntry) => wordEquals(value, ZERO_WORD);

/** Removed keys, then changed entries; together at least one, no key twice. */
function readMapChange(reader: Reader): MapEntry[] {
  const cleared = reader.count(WORD_BYTES);
  const removals = Array.from({ length: cleared }, (): MapEntry => [reader.word(), ZERO_WORD]);
  const entries = [...removals, ...readMapEntries(reader)];
  if (entries.length === 0) throw reader.refusal('a map change without entries');
  entries.sort(([a], [b]) => compareWords(a, b));
  for (let i = 1; i < entries.length; i++) {
    if (compareWords(entries[i - 1]![0], entries[i]![0]) === 0) {
      throw reader.refusal('a map key is changed twice');
    }
  }
  return entries;
}

function writeMapChange(writer: Writer, entries: readonly MapEntry[]): void {
  const cleared = entries.filter(isCleared);
  writer.usize(cleared.length);
  for (const [key] of cleared) writer.word(key);
  writeMapEntries(
    writer,
    entries.filter((entry) => !isCleared(entry)),
  );
}

/** Protocol 0.15: cleared slots, set slots, changed maps, each with its own 8-bit count. */
function readChanges15(reader: Reader): SlotChange[] {
  const changes: SlotChange[] = [];
  for (let left = reader.u8(); left > 0; left--) {
    changes.push({ type: 'value', name: readSlotName(reader), value: ZERO_WORD });
  }
  for (let left = reader.u8(); left > 0; left--) {
    changes.push({ type: 'value', name: readSlotName(reader), value: reader.word() });
  }
  for (let left = reader.u8(); left > 0; left--) {
    changes.push({ type: 'map', name: readSlotName(reader), entries: readMapChange(reader) });
  }
  return changes;
}

function writeChanges15(writer: Writer, changes: readonly SlotChange[]): void {
  const values = changes.filter((change) => change.type === 'value');
  const cleared = values.filter(({ value }) => wordEquals(value, ZERO_WORD));
  writer.u8(cleared.length);
  for (const { name } of cleared) writeSlotName(writer, name);
  writer.u8(values.length - cleared.length);
  for (const { name, value } of values) {
    if (wordEquals(value, ZERO_WORD)) continue;
    writeSlotName(writer, name);
    writer.word(value);
  }
  const maps = changes.filter((change) => change.type === 'map');
  writer.u8(maps.length);
  for (const { name, entries } of maps) {
    writeSlotName(writer, name);
    writeMapChange(writer, entries);
  }
}

/** Protocol 0.16: one list; each slot with its type and operation; a zero value is left out. */
function readChanges16(reader: Reader): SlotChange[] {
  const changes: SlotChange[] = [];
  for (let left = reader.u8(); left > 0; left--) {
    const name = readSlotName(reader);
    const type = reader.u8();
    if (type > TYPE_MAP) throw reader.refusal('unknown type of a slot change');
    if (reader.u8() !== OPERATION_UPDATE) {
      throw reader.refusal('creating or removing slots is not verified');
    }
    if (type === TYPE_VALUE) {
      const value = reader.isPresent() ? reader.word() : ZERO_WORD;
      changes.push({ type: 'value', name, value });
    } else {
      changes.push({ type: 'map', name, entries: readMapChange(reader) });
    }
  }
  return changes;
}

function writeChanges16(writer: Writer, changes: readonly SlotChange[]): void {
  writer.u8(changes.length);
  for (const change of changes) {
    writeSlotName(writer, change.name);
    writer.u8(change.type === 'value' ? TYPE_VALUE : TYPE_MAP).u8(OPERATION_UPDATE);
    if (change.type === 'map') writeMapChange(writer, change.entries);
    else if (wordEquals(change.value, ZERO_WORD)) writer.u8(0);
    else writer.u8(1).word(change.value);
  }
}

function readBinding(reader: Reader, protocol: Protocol): Binding {
  if (protocol === '0.15') return { protocol, salt: reader.word() };
  return {
    protocol,
    blockCommitment: reader.word(),
    expirationDelta: reader.u16(),
    userParameters: Array.from({ length: USER_PARAMETERS }, () => reader.felt()),
  };
}

function writeBinding(writer: Writer, binding: Binding): void {
  if (binding.protocol === '0.15') writer.word(binding.salt);
  else {
    writer.word(binding.blockCommitment).u16(binding.expirationDelta);
    for (const element of binding.userParameters) writer.u64(element);
  }
}

/** The parts without trustworthy vectors: assets, code, notes. */
function refuseAssets(reader: Reader): void {
  for (let list = 0; list < 3; list++) {
    if (reader.usize() !== 0) throw reader.refusal('asset changes are not verified');
  }
}

function refuseCode(reader: Reader): void {
  if (reader.isPresent()) {
    throw reader.refusal('a summary with code (a new account or an upgrade) is not verified');
  }
}

function refuseNotes(reader: Reader): void {
  for (const kind of ['input', 'output']) {
    if (reader.u16() !== 0) throw reader.refusal(`${kind} notes are not verified`);
  }
}

function read(reader: Reader, protocol: Protocol): TransactionSummary {
  const accountId: AccountId = readAccountId(reader);
  const changes = protocol === '0.15' ? readChanges15(reader) : readChanges16(reader);
  changes.sort((a, b) => compareSlotNames(a.name, b.name));
  for (let i = 1; i < changes.length; i++) {
    if (compareSlotNames(changes[i - 1]!.name, changes[i]!.name) === 0) {
      throw reader.refusal('a slot is changed twice');
    }
  }
  refuseAssets(reader);
  refuseCode(reader);
  const nonceDelta = reader.felt();
  if (nonceDelta === 0n) throw reader.refusal('a transaction must raise the account nonce');
  refuseNotes(reader);
  const binding = readBinding(reader, protocol);
  reader.end();
  return { accountId, changes, nonceDelta, binding };
}

/**
 * Reads a transaction summary in the format of the account's protocol.
 *
 * Guardian's published deltas (0.15.3, and 0.16 up to rc.4) pin the format of values set, map
 * entries set, and nonce. By source only, because they are absent or zero there: cleared slots and
 * keys, salt, block commitment, expiration, user parameters.
 * @throws UnverifiableError on everything else, and on bytes that would be written differently.
 */
export function parseSummary(bytes: Uint8Array, protocol: Protocol): TransactionSummary {
  const subject = 'transaction summary';
  if (bytes.length > midenLimits.summaryBytes) throw new UnverifiableError(`${subject}: too large`);
  const summary = read(new Reader(bytes, subject), protocol);
  requireSameBytes(subject, bytes, serializeSummary(summary));
  return summary;
}

/** The bytes that `parseSummary` reads. */
export function serializeSummary(summary: TransactionSummary): Uint8Array {
  const { binding, changes } = summary;
  const writer = new Writer().raw(accountIdToBytes(summary.accountId));
  if (binding.protocol === '0.15') writeChanges15(writer, changes);
  else writeChanges16(writer, changes);
  writer.usize(0).usize(0).usize(0).u8(0).u64(summary.nonceDelta).u16(0).u16(0);
  writeBinding(writer, binding);
  return writer.finish();
}
