/** The word a key's owner signs to find its accounts (protocol dossier §2.8, key lookup). */
import { rpoHashElements } from '../networks/miden/hash/rpo.ts';
import { type Word, wordFromHex } from '../networks/miden/word.ts';
import { textWord, timestampElement } from './request-message.ts';

/** Keeps lookups apart from requests: neither signature is ever one of the other. */
const DOMAIN_TAG = textWord('guardian.lookup.v1');

/**
 * @param timestampMs Unix milliseconds, signed 64 bits.
 * @param keyCommitment `0x` + 64 hex digits.
 * @throws UnverifiableError when the commitment is not a word.
 */
export function lookupMessage(timestampMs: bigint, keyCommitment: string): Word {
  return rpoHashElements([
    ...DOMAIN_TAG,
    timestampElement(timestampMs),
    ...wordFromHex(keyCommitment),
  ]);
}
