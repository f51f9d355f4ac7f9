import type { Protocol } from '../account/account.ts';
import { type Word, wordToBytes } from '../word.ts';
import type { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const MAGIC = 'MAST';
const NODE_BYTES = 8;
const DIGEST_BYTES = 32;
/** The forest was written without its debug section. */
const FLAG_STRIPPED = 1;
/** Upper four bits of a node entry: a procedure that is known by its digest only. */
const EXTERNAL_NODE = 8n << 60n;

export interface MastForest {
  protocol: Protocol;
  /** The serialized forest, verbatim. */
  bytes: Uint8Array;
  /** Digests of all nodes, 32 bytes each. */
  digests: Uint8Array;
}

function readVersion(reader: Reader): { flags: number; protocol: Protocol } {
  if (String.fromCharCode(...reader.take(4)) !== MAGIC) throw reader.refusal('no MAST forest');
  const flags = reader.u8();
  const version = reader.take(3).join('.');
  if (version === '0.0.3' && flags <= FLAG_STRIPPED) return { flags, protocol: '0.15' };
  if (version === '0.0.4' && flags === 0) return { flags, protocol: '0.16' };
  throw reader.refusal(`unsupported MAST forest: version ${version}, flags ${flags}`);
}

/**
 * Reads over a serialized MAST forest of format 0.0.3 (protocol 0.15) or 0.0.4 (protocol 0.16).
 * The structure is followed only as far as needed to find its end and its digests.
 */
export function readMastForest(reader: Reader): MastForest {
  const start = reader.position;
  const { flags, protocol } = readVersion(reader);
  const internalNodes = reader.usize();
  const externalNodes = reader.usize();
  const nodes = internalNodes + externalNodes;
  const roots = reader.count(4);
  for (let i = 0; i < roots; i++) {
    if (reader.u32() >= nodes) throw reader.refusal('a MAST root is not a node of its forest');
  }
  skipBlob(reader); // basic block data
  reader.expect(nodes, NODE_BYTES + DIGEST_BYTES);
  reader.take(NODE_BYTES * nodes);
  const digests = reader.take(DIGEST_BYTES * nodes);
  skipItems(reader, 33, () => {
    reader.word();
    skipRows(reader, 8);
  }); // advice map
  if (protocol === '0.15' && (flags & FLAG_STRIPPED) === 0) skipDebugInfo(reader);
  return { protocol, bytes: reader.since(start), digests };
}

function skipRows(reader: Reader, rowBytes: number): void {
  const rows = reader.count(rowBytes);
  reader.take(rows * rowBytes);
}

function skipBlob(reader: Reader): void {
  skipRows(reader, 1);
}

function skipItems(reader: Reader, leastBytes: number, skip: () => void): void {
  const items = reader.count(leastBytes);
  for (let i = 0; i < items; i++) skip();
}

function skipSizes(reader: Reader): void {
  skipItems(reader, 1, () => reader.usize());
}

function skipStringTable(reader: Reader): void {
  skipRows(reader, 4);
  skipBlob(reader);
}

/** A sparse table from operations to entries: entry ids, then two lists of offsets. */
function skipOperationTable(reader: Reader): void {
  skipRows(reader, 4);
  skipSizes(reader);
  skipSizes(reader);
}

/** A sparse table from nodes to entries: entry ids, then one list of offsets. */
function skipNodeTable(reader: Reader): void {
  skipRows(reader, 4);
  skipSizes(reader);
}

function skipDebugInfo(reader: Reader): void {
  skipBlob(reader); // decorators
  skipStringTable(reader);
  skipRows(reader, 5);
  skipItems(reader, 9, () => {
    reader.u64();
    skipBlob(reader);
  }); // error codes
  skipOperationTable(reader); // decorators by operation
  skipNodeTable(reader); // decorators before a node
  skipNodeTable(reader); // and after
  skipItems(reader, 33, () => {
    reader.take(DIGEST_BYTES);
    skipBlob(reader);
  }); // procedure names
  skipBlob(reader); // assembly operations
  skipStringTable(reader);
  skipRows(reader, 4);
  skipItems(reader, 5, () => {
    reader.usize();
    reader.u32();
  }); // assembly operations by operation
  skipSizes(reader);
  skipItems(reader, 5, () => skipDebugVariable(reader));
  skipOperationTable(reader); // debug variables by operation
}

const LOCATION_BYTES = new Map([
  [0, 1], // stack position
  [1, 4], // memory address
  [2, 8], // constant
  [3, 2], // local
  [5, 12], // frame base
]);
const LOCATION_EXPRESSION = 4;

function skipDebugVariable(reader: Reader): void {
  skipBlob(reader); // name
  const location = reader.u8();
  const bytes = LOCATION_BYTES.get(location);
  if (bytes !== undefined) reader.take(bytes);
  else if (location === LOCATION_EXPRESSION) skipBlob(reader);
  else throw reader.refusal('unknown location of a debug variable');
  if (reader.isPresent()) reader.u32();
  if (reader.isPresent()) reader.u32();
  if (reader.isPresent()) {
    skipBlob(reader);
    reader.take(8);
  }
}

/**
 * The smallest forest with these procedures: one external node and one root each, no code, no
 * debug section.
 */
export function externalForest(protocol: Protocol, procedures: readonly Word[]): Uint8Array {
  const writer = new Writer();
  writer.raw(new TextEncoder().encode(MAGIC));
  if (protocol === '0.15') writer.raw(Uint8Array.of(FLAG_STRIPPED, 0, 0, 3));
  else writer.raw(Uint8Array.of(0, 0, 0, 4));
  writer.usize(0).usize(procedures.length).usize(procedures.length);
  procedures.forEach((_, i) => writer.u32(i));
  writer.usize(0);
  for (let i = 0; i < procedures.length; i++) writer.u64(EXTERNAL_NODE);
  for (const procedure of procedures) writer.raw(wordToBytes(procedure));
  return writer.usize(0).finish();
}
