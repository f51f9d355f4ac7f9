/** The word a client signs for a request (protocol dossier §2.3 and §2.4). */
import { P } from '../networks/miden/field.ts';
import { rpoHashElements } from '../networks/miden/hash/rpo.ts';
import type { Word } from '../networks/miden/word.ts';

/**
 * @param accountId `0x` + 30 hex digits.
 * @param timestampMs Unix milliseconds, signed 64 bits.
 * @param payload canonical JSON of the body or the query object; empty for none.
 * @throws TypeError when the account id has another form.
 */
export function requestMessage(accountId: string, timestampMs: bigint, payload: string): Word {
  const [prefix, suffix] = accountIdElements(accountId);
  return rpoHashElements([prefix, suffix, timestampElement(timestampMs), ...textWord(payload)]);
}

/** RPO over text as elements of eight little-endian bytes, the last one filled with zeros. */
export function textWord(text: string): Word {
  const bytes = new TextEncoder().encode(text);
  const padded = new DataView(new ArrayBuffer(Math.ceil(bytes.length / 8) * 8));
  new Uint8Array(padded.buffer).set(bytes);
  const elements = new BigUint64Array(padded.byteLength / 8);
  // No element reaches P: that takes a byte 0xff, which UTF-8 never holds.
  for (let i = 0; i < elements.length; i += 1) elements[i] = padded.getBigUint64(8 * i, true);
  return rpoHashElements(elements);
}

/** A negative timestamp counts as its two's complement. */
export function timestampElement(timestampMs: bigint): bigint {
  return BigInt.asUintN(64, timestampMs) % P;
}

/** 8 bytes and 7 bytes, both big-endian; the second is filled up with a zero byte. */
function accountIdElements(accountId: string): [prefix: bigint, suffix: bigint] {
  if (!/^0x[0-9a-fA-F]{30}$/.test(accountId)) throw new TypeError('not a Miden account id');
  return [BigInt(accountId.slice(0, 18)) % P, BigInt(`0x${accountId.slice(18)}00`) % P];
}
