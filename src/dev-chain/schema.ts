/** Shapes that the development chain accepts, over HTTP and in its state file. */
import * as v from 'valibot';

import { P } from '../guardian/networks/miden/field.ts';

/** 15 bytes; whether the id is one that Miden would issue does not matter here. */
export const accountIdSchema = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-fA-F]{30}$/, 'an account id is 0x and 30 hex digits'),
  v.toLowerCase(),
);

/** Four field elements, little-endian. The zero word means "absent" on a chain, so it cannot land. */
export const commitmentSchema = v.pipe(
  v.string(),
  v.regex(/^0x[0-9a-fA-F]{64}$/, 'a commitment is 0x and 64 hex digits'),
  v.toLowerCase(),
  v.check(isWord, 'a commitment is four field elements below 2^64 - 2^32 + 1'),
  v.check((text) => !/^0x0+$/.test(text), 'the zero word stands for an absent account'),
);

export const landingSchema = v.object({ commitment: commitmentSchema });

function isWord(text: string): boolean {
  return [2, 18, 34, 50].every((at) => {
    const littleEndian = text.slice(at, at + 16).match(/../g) ?? [];
    return BigInt(`0x${littleEndian.toReversed().join('')}`) < P;
  });
}
