import { hashElements, mergeWords } from '../hash/poseidon2.ts';
import type { Word } from '../word.ts';
import { type Digest, type LeafIndex, liftDigest, mergeDigests, wordToDigest } from './digest.ts';

/** miden-crypto's domain of leaf hashes, since 0.23. */
const LEAF_DOMAIN = 0x13afn;

export interface LeafEntry {
  key: Word;
  value: Word;
}

interface Leaf {
  height: 0;
  index: LeafIndex;
  /** At least one entry, ordered by key. */
  entries: readonly LeafEntry[];
  digest: Digest;
}

/** An inner node both of whose sides hold entries; nodes with one empty side are not stored. */
export interface Branch {
  /** 1 to 64: levels above the leaves. */
  height: number;
  /** Index of some leaf below; the bits above `height` are those of every leaf below. */
  index: LeafIndex;
  left: TreeNode;
  right: TreeNode;
  /** Digests of the children's ancestors right below this node. */
  leftDigest: Digest;
  rightDigest: Digest;
  digest: Digest;
}

export type TreeNode = Leaf | Branch;

/** @param entries at least one, ordered by key, all with this index. */
export function makeLeaf(index: LeafIndex, entries: readonly LeafEntry[]): Leaf {
  const [first, ...others] = entries;
  // The order of the entries in a leaf that two keys share is from the miden-crypto source; no
  // published vector holds such a leaf.
  const hash =
    others.length === 0
      ? mergeWords(first!.key, first!.value, LEAF_DOMAIN)
      : hashElements(
          entries.flatMap((entry) => [...entry.key, ...entry.value]),
          LEAF_DOMAIN,
        );
  return { height: 0, index, entries, digest: wordToDigest(hash) };
}

/** Joins two subtrees at `height`; a digest given for an unchanged child spares its lifting. */
export function makeBranch(
  height: number,
  left: TreeNode,
  right: TreeNode,
  known: { leftDigest?: Digest; rightDigest?: Digest } = {},
): Branch {
  const below = height - 1;
  const leftDigest = known.leftDigest ?? liftDigest(left.digest, left.index, left.height, below);
  const rightDigest =
    known.rightDigest ?? liftDigest(right.digest, right.index, right.height, below);
  const digest = mergeDigests(leftDigest, rightDigest);
  return { height, index: left.index, left, right, leftDigest, rightDigest, digest };
}

/** Height of the lowest node above both leaves; 0 when they are the same. */
export function forkHeight(a: LeafIndex, b: LeafIndex): number {
  const high = a.high ^ b.high;
  if (high !== 0) return 64 - Math.clz32(high);
  return 32 - Math.clz32(a.low ^ b.low);
}

/** Whether the leaf lies on the right of a node of this height above it. */
export function isRight(index: LeafIndex, height: number): boolean {
  const bit = height - 1;
  const half = bit < 32 ? index.low : index.high;
  return ((half >>> (bit & 31)) & 1) === 1;
}
