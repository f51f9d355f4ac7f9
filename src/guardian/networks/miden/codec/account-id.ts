import { UnverifiableError } from '../../network.ts';
import { P } from '../field.ts';
import type { Reader } from './reader.ts';

/**
 * A version 1 account id (protocols 0.15 and 0.16): 15 bytes, the prefix as 8 big-endian bytes and
 * the upper 7 bytes of the suffix.
 */
export interface AccountId {
  prefix: bigint;
  suffix: bigint;
  /** `0x` and 30 lower-case hex digits. */
  text: string;
}

const VERSION_MASK = 0xfn;
const VERSION = 1n;
const HEX_ID = /^0x[0-9a-f]{30}$/;

/** @throws UnverifiableError when prefix and suffix are not a version 1 id. */
export function accountIdFromElements(prefix: bigint, suffix: bigint): AccountId {
  if (prefix >= P) throw new UnverifiableError('the account id is not canonical');
  if ((prefix & VERSION_MASK) !== VERSION) {
    throw new UnverifiableError('the account id has an unknown version');
  }
  if (suffix >> 63n !== 0n || (suffix & 0xffn) !== 0n) {
    throw new UnverifiableError('the account id has bits set that must be zero');
  }
  const digits = ((prefix << 64n) | suffix).toString(16).padStart(32, '0');
  return { prefix, suffix, text: `0x${digits.slice(0, 30)}` };
}

/** @throws UnverifiableError when the text is not `0x`, 30 lower-case hex digits, and a valid id. */
export function accountIdFromText(text: string): AccountId {
  if (!HEX_ID.test(text)) throw new UnverifiableError('an account id is 0x and 30 hex digits');
  return accountIdFromElements(BigInt(text.slice(0, 18)), BigInt(`0x${text.slice(18)}00`));
}

/** @throws UnverifiableError when the next 15 bytes are no valid id. */
export function readAccountId(reader: Reader): AccountId {
  let digits = '0x';
  for (const byte of reader.take(15)) digits += byte.toString(16).padStart(2, '0');
  return accountIdFromText(digits);
}

/** The 15 bytes of an id. */
export function accountIdToBytes(id: AccountId): Uint8Array {
  return Uint8Array.from(id.text.slice(2).match(/../g)!, (digits) => Number.parseInt(digits, 16));
}
