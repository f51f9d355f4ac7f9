import { UnverifiableError } from '../network.ts';
import { P } from './field.ts';

/** Four field elements in [0, P): a Miden digest, key or storage value. */
export type Word = readonly [bigint, bigint, bigint, bigint];

export const ZERO_WORD: Word = [0n, 0n, 0n, 0n];

const HEX_WORD = /^(?:0x)?([0-9a-fA-F]{64})$/;

/** 32 bytes: each element as 8 little-endian bytes, in order (protocol dossier 2.1). */
export function wordToBytes(word: Word): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) view.setBigUint64(8 * i, word[i]!, true);
  return bytes;
}

/** `0x` and 64 lower-case hex digits: the bytes of `wordToBytes`. */
export function wordToHex(word: Word): string {
  let text = '0x';
  for (const byte of wordToBytes(word)) text += byte.toString(16).padStart(2, '0');
  return text;
}

/**
 * Reads 64 hex digits, with or without `0x`, in either case.
 * @throws UnverifiableError on another length, another character, or an element >= P.
 */
export function wordFromHex(text: string): Word {
  const digits = HEX_WORD.exec(text)?.[1];
  if (digits === undefined) throw new UnverifiableError('a word is 64 hex digits');
  const elements: bigint[] = [];
  for (let start = 0; start < 64; start += 16) {
    const bytes = digits.slice(start, start + 16).match(/../g)!;
    const element = BigInt(`0x${bytes.toReversed().join('')}`);
    if (element >= P) throw new UnverifiableError('a word holds a non-canonical field element');
    elements.push(element);
  }
  return [elements[0]!, elements[1]!, elements[2]!, elements[3]!];
}

export function wordEquals(a: Word, b: Word): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

/**
 * The order of words everywhere in the protocol (map keys, leaf entries): a word is an integer with
 * the last element as its most significant limb.
 */
export function compareWords(a: Word, b: Word): number {
  for (let i = 3; i >= 0; i--) {
    if (a[i]! !== b[i]!) return a[i]! < b[i]! ? -1 : 1;
  }
  return 0;
}
