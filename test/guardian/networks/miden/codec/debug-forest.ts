import { Writer } from '../../../../../src/guardian/networks/miden/codec/writer.ts';
import { type Word, wordToBytes } from '../../../../../src/guardian/networks/miden/word.ts';

/** A 0.0.3 forest with one external node and every part of the debug section in use. */
export function forestWithDebugSection(procedure: Word): Uint8Array {
  const writer = new Writer();
  const blob = (...bytes: number[]) => writer.usize(bytes.length).raw(Uint8Array.from(bytes));
  const ids = (...values: number[]) => {
    writer.usize(values.length);
    for (const value of values) writer.u32(value);
  };
  const sizes = (...values: number[]) => {
    writer.usize(values.length);
    for (const value of values) writer.usize(value);
  };
  writer.raw(Uint8Array.from([0x4d, 0x41, 0x53, 0x54, 0, 0, 0, 3]));
  writer.usize(0).usize(1).usize(1).u32(0).usize(0);
  writer.u64(8n << 60n).raw(wordToBytes(procedure));
  writer.usize(1).word(procedure).usize(2).u64(1n).u64(2n); // advice map
  blob(1, 2, 3); // decorators
  ids(0, 3);
  blob(65, 66, 67);
  writer.usize(1).raw(Uint8Array.from([1, 0, 0, 0, 0]));
  writer.usize(1).u64(9n); // error codes
  blob(68);
  ids(0); // decorators by operation
  sizes(0, 200);
  sizes(0, 1);
  ids(1); // decorators before and after a node
  sizes(0);
  ids(2);
  sizes(0);
  writer.usize(1).raw(wordToBytes(procedure)); // procedure names
  blob(69);
  blob(); // assembly operations
  ids(0);
  blob(70);
  ids(7);
  writer.usize(1).usize(4).u32(5);
  sizes(1);
  writer.usize(6); // debug variables, one a location
  for (const [tag, bytes] of [
    [0, 1],
    [1, 4],
    [2, 8],
    [3, 2],
    [5, 12],
  ] as const) {
    blob(71);
    writer.u8(tag).raw(new Uint8Array(bytes)).u8(0).u8(0).u8(0);
  }
  blob(72);
  writer.u8(4);
  blob(1, 2);
  writer.u8(1).u32(1).u8(1).u32(2).u8(1);
  blob(73);
  writer.u32(3).u32(4);
  ids(0); // debug variables by operation
  sizes(0);
  sizes(0);
  return writer.finish();
}
