import { expect, it } from 'vitest';
import {
  type MapEntry,
  StorageMap,
} from '../../../../../src/guardian/networks/miden/account/storage-map.ts';
import {
  compareWords,
  type Word,
  ZERO_WORD,
} from '../../../../../src/guardian/networks/miden/word.ts';
import { randomNumbers } from '../hash/random-elements.ts';

const sorted = (entries: Iterable<MapEntry>) =>
  [...entries].toSorted(([a], [b]) => compareWords(a, b));

it('changes like a sorted map, with the root of one that is built anew', () => {
  const next = randomNumbers(3);
  const pick = (limit: number) => Number(next() % BigInt(limit));
  const expected = new Map<string, MapEntry>();
  let map = StorageMap.empty;
  for (let step = 0; step < 60; step++) {
    const changes = new Map<string, MapEntry>();
    for (let left = 1 + pick(step % 7 === 0 ? 12 : 2); left > 0; left--) {
      const key: Word = [BigInt(pick(4)), 0n, 0n, BigInt(pick(5))];
      changes.set(key.join(), [key, pick(3) === 0 ? ZERO_WORD : [BigInt(step), 1n, 0n, 0n]]);
    }
    const before = { entries: map.entries, root: map.root() };
    const changed = map.change(sorted(changes.values()));
    for (const [text, entry] of changes) {
      if (entry[1] === ZERO_WORD) expected.delete(text);
      else expected.set(text, entry);
    }
    expect(changed.entries).toEqual(sorted(expected.values()));
    expect(changed.root()).toEqual(new StorageMap(changed.entries).root());
    for (const [key, value] of changes.values()) expect(changed.get(key)).toEqual(value);
    expect({ entries: map.entries, root: map.root() }).toEqual(before);
    map = changed;
  }
  expect(expected.size).toBeGreaterThan(5);
});
