import { expect, it } from 'vitest';
import type { KnownAccount } from '../../../../../src/guardian/networks/miden/account/cache.ts';
import { AccountCache } from '../../../../../src/guardian/networks/miden/account/cache.ts';
import { buildAccount } from '../../../../../src/guardian/networks/miden/account/build.ts';
import { StorageMap } from '../../../../../src/guardian/networks/miden/account/storage-map.ts';
import { parseAccount } from '../../../../../src/guardian/networks/miden/codec/account.ts';
import { ZERO_WORD } from '../../../../../src/guardian/networks/miden/word.ts';
import { midenLimits } from '../../../../../src/limits.ts';
import { planOf } from './plans.ts';

const account = parseAccount(buildAccount(planOf('0.16')));
const known: KnownAccount = { account, commitment: ZERO_WORD };

it('forgets the least recently used account when there are too many', () => {
  const cache = new AccountCache();
  for (let i = 0; i < midenLimits.cachedAccounts; i++) cache.set(`${i}`, known);
  expect(cache.get('0')).toBe(known);
  cache.set('another', known);
  expect(cache.get('0')).toBe(known);
  expect(cache.get('1')).toBeUndefined();
  expect(cache.get('another')).toBe(known);
});

it('forgets accounts when they are too large together', () => {
  const entry = [ZERO_WORD, ZERO_WORD] as const;
  const map = new StorageMap(Array.from({ length: 30_000 }, () => entry));
  const slots = account.slots.map((slot) =>
    slot.type === 'map' ? { type: slot.type, name: slot.name, map } : slot,
  );
  const large: KnownAccount = {
    account: { ...account, slots: slots.filter((slot) => slot.type === 'map').slice(0, 1) },
    commitment: ZERO_WORD,
  };
  const cache = new AccountCache();
  for (const identity of ['a', 'b', 'c']) cache.set(identity, large);
  expect(['a', 'b', 'c'].map((identity) => cache.get(identity))).toEqual([undefined, large, large]);
});

it('counts an account that is set again once', () => {
  const cache = new AccountCache();
  for (let i = 0; i < 3 * midenLimits.cachedAccounts; i++) cache.set('same', known);
  cache.set('other', known);
  expect(cache.get('same')).toBe(known);
});
