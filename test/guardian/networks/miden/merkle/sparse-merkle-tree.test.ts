import { describe, expect, it } from 'vitest';
import {
  hashReference,
  poseidon2Reference,
} from '../../../../../src/guardian/networks/miden/hash/reference.ts';
import { SparseMerkleTree } from '../../../../../src/guardian/networks/miden/merkle/sparse-merkle-tree.ts';
import {
  compareWords,
  type Word,
  wordToHex,
  ZERO_WORD,
} from '../../../../../src/guardian/networks/miden/word.ts';
import { randomElements, randomNumbers } from '../hash/random-elements.ts';

const hash = (elements: readonly bigint[], domain = 0n) =>
  hashReference(poseidon2Reference, elements, domain);

const EMPTY: Word[] = [ZERO_WORD];
for (let height = 0; height < 64; height++)
  EMPTY.push(hash([...EMPTY[height]!, ...EMPTY[height]!]));

type Entries = ReadonlyMap<string, readonly [Word, Word]>;

/** Level by level over a map of nodes, from the definition. */
function naiveRoot(entries: Entries): Word {
  const leaves = Map.groupBy(entries.values(), ([key]) => key[3]);
  let level = new Map<bigint, Word>();
  for (const [index, pairs] of leaves) {
    const ordered = pairs.toSorted(([a], [b]) => compareWords(a, b));
    level.set(index, hash(ordered.flat(2), 0x13afn));
  }
  for (let height = 0; height < 64; height++) {
    const above = new Map<bigint, Word>();
    for (const parent of new Set([...level.keys()].map((index) => index >> 1n))) {
      const left = level.get(2n * parent) ?? EMPTY[height]!;
      const right = level.get(2n * parent + 1n) ?? EMPTY[height]!;
      above.set(parent, hash([...left, ...right]));
    }
    level = above;
  }
  return level.get(0n) ?? EMPTY[64]!;
}

/** Indices that are neighbours, share most of their path, or none of it. */
const INDICES = [
  0n,
  1n,
  2n,
  1n << 31n,
  1n << 32n,
  1n << 63n,
  (1n << 63n) + 1n,
  0xffffffff00000000n,
];

function keyPool(): Word[] {
  return INDICES.flatMap((index, i) =>
    [0, 1].map((k): Word => {
      const [a, b, c] = randomElements(3, 10 * i + k);
      return [a!, b!, c!, index];
    }),
  );
}

const toEntries = (entries: Entries) =>
  [...entries.values()].map(([key, value]) => ({ key, value }));

describe('SparseMerkleTree', () => {
  it('gives the root of the definition after every change, and again when built at once', () => {
    const keys = keyPool();
    const next = randomNumbers(42);
    const entries = new Map<string, readonly [Word, Word]>();
    let tree = SparseMerkleTree.of([]);
    for (let step = 0; step < 40; step++) {
      const key = keys[Number(next() % BigInt(keys.length))]!;
      const value: Word = next() % 3n === 0n ? ZERO_WORD : [next() >> 1n, 0n, 0n, 1n];
      tree = tree.set(key, value);
      if (value === ZERO_WORD) entries.delete(wordToHex(key));
      else entries.set(wordToHex(key), [key, value]);
      expect(tree.root).toEqual(SparseMerkleTree.of(toEntries(entries)).root);
      if (step % 5 === 4) expect(tree.root).toEqual(naiveRoot(entries));
    }
    expect(entries.size).toBeGreaterThan(4);
  });

  it('leaves earlier trees as they were', () => {
    const [first, second, third] = keyPool();
    const one: Word = [1n, 0n, 0n, 0n];
    const before = SparseMerkleTree.of([
      { key: first!, value: one },
      { key: third!, value: one },
    ]);
    const root = before.root;
    const after = before.set(second!, one).set(first!, ZERO_WORD);
    expect(before.root).toEqual(root);
    expect(after.root).not.toEqual(root);
    expect(after.set(second!, ZERO_WORD).set(first!, one).root).toEqual(root);
  });

  it('is the empty tree again when everything is removed', () => {
    const [key] = keyPool();
    const tree = SparseMerkleTree.of([{ key: key!, value: [1n, 0n, 0n, 0n] }]);
    expect(tree.set(key!, ZERO_WORD).root).toEqual(EMPTY[64]);
    expect(SparseMerkleTree.of([]).set(key!, ZERO_WORD).root).toEqual(EMPTY[64]);
  });

  it('does nothing when an absent key is removed', () => {
    const [first, second, third] = keyPool();
    const tree = SparseMerkleTree.of([{ key: first!, value: [1n, 0n, 0n, 0n] }]);
    expect(tree.set(second!, ZERO_WORD).root).toEqual(tree.root);
    expect(tree.set(third!, ZERO_WORD)).toBe(tree);
  });
});
