/**
 * Answers of contracts, digit by digit. A client names the contract, so the answer is whatever its
 * author likes: generic ABI decoding follows every offset, and a thousand of them at one place make
 * gigabytes out of a quarter of a megabyte. Here an answer has the one length that its content takes.
 */
import type { Hex } from '../values.ts';

/** Hex digits of a word. */
const word = 64;
/** Words of one signer: its length, and the address with twelve bytes of padding behind it. */
const signerWords = 2;
const addressDigits = 40;
const padding = '0'.repeat(word - addressDigits);

/** @returns undefined when the answer is anything but one word. */
export function readUint256(data: string): bigint | undefined {
  return data.length === 2 + word ? BigInt(data) : undefined;
}

/** @returns undefined when the answer is anything but one word that is 0 or 1. */
export function readBool(data: string): boolean | undefined {
  const value = readUint256(data);
  return value === 0n || value === 1n ? value === 1n : undefined;
}

/**
 * A `bytes[]` of so many addresses, as compilers write it: head, count, offsets, elements.
 * @returns undefined when the answer is anything else.
 */
export function readAddresses(data: string, count: number): Hex[] | undefined {
  const words = 2 + count + count * signerWords;
  if (data.length !== 2 + words * word) return undefined;
  const digits = (index: number) => data.slice(2 + index * word, 2 + (index + 1) * word);
  const number = (index: number) => BigInt(`0x${digits(index)}`);
  if (number(0) !== 32n || number(1) !== BigInt(count)) return undefined;
  const addresses: Hex[] = [];
  for (let i = 0; i < count; i += 1) {
    const element = count + i * signerWords;
    // an offset counts bytes from behind the count
    if (number(2 + i) !== BigInt(element * 32) || number(2 + element) !== 20n) return undefined;
    const text = digits(2 + element + 1);
    if (!text.endsWith(padding)) return undefined;
    addresses.push(`0x${text.slice(0, addressDigits).toLowerCase()}`);
  }
  return addresses;
}
