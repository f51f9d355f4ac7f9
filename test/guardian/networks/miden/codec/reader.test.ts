import { describe, expect, it } from 'vitest';
import { UnverifiableError } from '../../../../../src/guardian/networks/network.ts';
import { Reader } from '../../../../../src/guardian/networks/miden/codec/reader.ts';
import { Writer } from '../../../../../src/guardian/networks/miden/codec/writer.ts';
import { P } from '../../../../../src/guardian/networks/miden/field.ts';

const read = (...bytes: number[]) => new Reader(Uint8Array.from(bytes), 'test');

describe('counts (vint64)', () => {
  it.each([0, 1, 127, 128, 255, 16_383, 16_384, 2_097_151, 2_097_152, 2 ** 28 - 1])(
    'reads back %d',
    (value) => {
      const reader = new Reader(new Writer().usize(value).finish(), 'test');
      expect(reader.usize()).toBe(value);
      reader.end();
    },
  );

  it('has the layout of winter-utils', () => {
    expect([...new Writer().usize(0).usize(1).usize(200).finish()]).toEqual([1, 3, 0x22, 0x03]);
  });

  it.each([
    ['a longer form than needed', [0b10, 0]],
    ['a longer form of 127', [0b11111110, 0b1]],
    ['five bytes', [0b10000, 0, 0, 0, 1]],
    ['nine bytes', [0, 1, 0, 0, 0, 0, 0, 0, 0]],
    ['nothing', []],
    ['a form that is cut off', [0b100, 1]],
  ])('refuses %s', (_, bytes) => {
    expect(() => read(...bytes).usize()).toThrow(UnverifiableError);
  });

  it('are checked against the bytes left', () => {
    expect(() => read(0b11, 1, 2, 3).count(4)).toThrow('a count exceeds the data (byte 1)');
    expect(read(0b11, 1, 2, 3, 4).count(4)).toBe(1);
  });
});

it('refuses elements of P and above', () => {
  const bytes = new Writer()
    .u64(P - 1n)
    .u64(P)
    .finish();
  const reader = new Reader(bytes, 'test');
  expect(reader.felt()).toBe(P - 1n);
  expect(() => reader.felt()).toThrow('test: non-canonical field element (byte 16)');
});

it('refuses to read past the end, and bytes after the end', () => {
  expect(() => read(1, 2, 3).u32()).toThrow('test: unexpected end of data (byte 0)');
  expect(() => read(1).end()).toThrow('trailing bytes');
  expect(() => read(2).isPresent()).toThrow('unknown tag');
});

it('writes more than the capacity asked for', () => {
  const writer = new Writer(1);
  for (let i = 0; i < 100; i++) writer.word([BigInt(i), 1n, 2n, 3n]);
  const reader = new Reader(writer.finish(), 'test');
  for (let i = 0; i < 100; i++) expect(reader.word()).toEqual([BigInt(i), 1n, 2n, 3n]);
  reader.end();
});
