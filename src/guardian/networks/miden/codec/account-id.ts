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

/** @throws UnverifiableError when the next 15 bytes are no valid id. */
export function readAccountId(reader: Reader): AccountId {
  const bytes = reader.take(15);
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  return accountIdFromElements(bits >> 56n, (bits & 0xffffffffffffffn) << 8n);
}

/** The 15 bytes of an id. */
export function accountIdToBytes(id: AccountId): Uint8Array {
  return Uint8Array.from(id.text.slice(2).match(/../g)!, (digits) => Number.parseInt(digits, 16));
}
