import { blake3 } from '@noble/hashes/blake3.js';
import { midenLimits } from '../../../../limits.ts';
import { P } from '../field.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** A storage slot's name with the id that the chain knows it by. */
export interface SlotName {
  text: string;
  /** First two elements of BLAKE3(text); slots are ordered by prefix, then suffix. */
  idSuffix: bigint;
  idPrefix: bigint;
}

/** At least two components of letters, digits and underscores that do not start with one. */
const GRAMMAR = /^[a-zA-Z0-9][a-zA-Z0-9_]*(?:::[a-zA-Z0-9][a-zA-Z0-9_]*)+$/;

/** Accounts of one kind share their names, and BLAKE3 in JavaScript is slow. */
const known = new Map<string, SlotName>();

/** The name with its id. `text` must follow the grammar. */
export function slotName(text: string): SlotName {
  const seen = known.get(text);
  if (seen !== undefined) return seen;
  const digest = blake3(new TextEncoder().encode(text));
  const view = new DataView(digest.buffer, digest.byteOffset, digest.length);
  const name: SlotName = {
    text,
    idSuffix: view.getBigUint64(0, true) % P,
    idPrefix: view.getBigUint64(8, true) % P,
  };
  if (known.size >= midenLimits.rememberedSlotNames) known.clear();
  known.set(text, name);
  return name;
}

/** The order of slots in storage, deltas and their commitments. */
export function compareSlotNames(a: SlotName, b: SlotName): number {
  if (a.idPrefix !== b.idPrefix) return a.idPrefix < b.idPrefix ? -1 : 1;
  if (a.idSuffix !== b.idSuffix) return a.idSuffix < b.idSuffix ? -1 : 1;
  return 0;
}

/** @throws UnverifiableError when the name breaks the grammar. */
export function readSlotName(reader: Reader): SlotName {
  const length = reader.u8();
  const text = String.fromCharCode(...reader.take(length));
  if (!GRAMMAR.test(text)) throw reader.refusal('a slot name breaks the grammar');
  return slotName(text);
}

export function writeSlotName(writer: Writer, name: SlotName): void {
  writer.u8(name.text.length).raw(new TextEncoder().encode(name.text));
}
