import { describe, expect, it } from 'vitest';
import { UnverifiableError } from '../../../../../src/guardian/networks/network.ts';
import {
  accountIdFromElements,
  accountIdToBytes,
  readAccountId,
} from '../../../../../src/guardian/networks/miden/codec/account-id.ts';
import { Reader } from '../../../../../src/guardian/networks/miden/codec/reader.ts';
import {
  readSlotName,
  slotName,
  writeSlotName,
} from '../../../../../src/guardian/networks/miden/codec/slot-name.ts';
import { Writer } from '../../../../../src/guardian/networks/miden/codec/writer.ts';
import { wordFromHex, wordToHex } from '../../../../../src/guardian/networks/miden/word.ts';

const readId = (digits: string) => {
  const bytes = Uint8Array.from(digits.match(/../g)!, (byte) => Number.parseInt(byte, 16));
  return readAccountId(new Reader(bytes, 'test'));
};

describe('account ids', () => {
  it('have the elements that the published request digests use', () => {
    const id = readId('25ae6647d3c87001607b46e56f1260');
    expect(id).toEqual({
      prefix: 2715220084032827393n,
      suffix: 6952228401001422848n,
      text: '0x25ae6647d3c87001607b46e56f1260',
    });
    expect(accountIdFromElements(id.prefix, id.suffix)).toEqual(id);
    expect(readAccountId(new Reader(accountIdToBytes(id), 'test'))).toEqual(id);
  });

  it('keep their leading zeros', () => {
    expect(readId('00000000000000010000000000000a').text).toBe('0x00000000000000010000000000000a');
  });

  it.each([
    ['too few bytes', '25ae6647d3c87001607b46e56f12'],
    ['an unknown version', '25ae6647d3c87000607b46e56f1260'],
    ['a non-canonical prefix', 'ffffffffffffff01607b46e56f1260'],
    ['the top bit of the suffix', '25ae6647d3c87001e07b46e56f1260'],
  ])('with %s are refused', (_, digits) => {
    expect(() => readId(digits)).toThrow(UnverifiableError);
  });
});

const readName = (text: string) => {
  const bytes = new TextEncoder().encode(text);
  return readSlotName(new Reader(new Writer().u8(bytes.length).raw(bytes).finish(), 'test'));
};

describe('slot names', () => {
  it.each(['a::b', 'openzeppelin::multisig::threshold_config', 'A_0::1_', `m::${'a'.repeat(252)}`])(
    'may be %s',
    (text) => {
      const name = readName(text);
      expect(name).toEqual(slotName(text));
      const writer = new Writer();
      writeSlotName(writer, name);
      expect(readSlotName(new Reader(writer.finish(), 'test'))).toEqual(name);
    },
  );

  it.each(['', 'one', ':', '::', 'a::', '::b', 'a:b', 'a:::b', '_a::b', 'a::_b', 'a::b c', 'a::ö'])(
    'may not be "%s"',
    (text) => {
      expect(() => readName(text)).toThrow('a slot name breaks the grammar');
    },
  );
});

describe('words as text', () => {
  const hex = '0xf48be38d14a96a1f2f2af6cdecae11ea8d00dadbc7dfde354257e6a733d839cf';

  it('are four little-endian elements', () => {
    expect(wordToHex(wordFromHex(hex))).toBe(hex);
    expect(wordFromHex(`0x01${'0'.repeat(46)}0200000000000000`)).toEqual([1n, 0n, 0n, 2n]);
    expect(wordToHex(wordFromHex(hex.slice(2).toUpperCase()))).toBe(hex);
  });

  it.each([
    ['a digit less', hex.slice(0, -1)],
    ['a digit more', `${hex}0`],
    ['another character', hex.replace('a', 'g')],
    ['a non-canonical element', `0x${'f'.repeat(64)}`],
  ])('with %s are refused', (_, wrong) => {
    expect(() => wordFromHex(wrong)).toThrow(UnverifiableError);
  });
});
