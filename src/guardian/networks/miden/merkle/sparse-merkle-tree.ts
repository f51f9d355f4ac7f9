import { compareWords, type Word, wordEquals, ZERO_WORD } from '../word.ts';
import { digestToWord, emptyRoot, type LeafIndex, liftDigest } from './digest.ts';
import {
  type Branch,
  forkHeight,
  isRight,
  type LeafEntry,
  makeBranch,
  makeLeaf,
  type TreeNode,
} from './node.ts';

const DEPTH = 64;

/** The last element of a key is the index of its leaf. */
function leafIndex(key: Word): LeafIndex {
  return { high: Number(key[3] >> 32n), low: Number(key[3] & 0xffffffffn) };
}

/** Builds the subtree of a non-empty run of entries, ordered by key. */
function build(entries: readonly LeafEntry[], start: number, end: number): TreeNode {
  const first = leafIndex(entries[start]!.key);
  const height = forkHeight(first, leafIndex(entries[end - 1]!.key));
  if (height === 0) return makeLeaf(first, entries.slice(start, end));
  // Ordered by the last element first, so that those on the left come first: find the border.
  let left = start + 1;
  let right = end - 1;
  while (left < right) {
    const middle = (left + right) >> 1;
    if (isRight(leafIndex(entries[middle]!.key), height)) right = middle;
    else left = middle + 1;
  }
  return makeBranch(height, build(entries, start, left), build(entries, left, end));
}

/** The entries of a leaf after one change; empty when the last one is removed. */
function changeEntries(entries: readonly LeafEntry[], key: Word, value: Word): LeafEntry[] {
  const others = entries.filter((entry) => !wordEquals(entry.key, key));
  if (!wordEquals(value, ZERO_WORD)) others.push({ key, value });
  return others.toSorted((a, b) => compareWords(a.key, b.key));
}

function changeBranch(node: Branch, index: LeafIndex, key: Word, value: Word): TreeNode | null {
  const { left, right, leftDigest, rightDigest, height } = node;
  if (isRight(index, height)) {
    const changed = change(right, index, key, value);
    if (changed === right) return node;
    return changed === null ? left : makeBranch(height, left, changed, { leftDigest });
  }
  const changed = change(left, index, key, value);
  if (changed === left) return node;
  return changed === null ? right : makeBranch(height, changed, right, { rightDigest });
}

/** The subtree after one change, sharing what did not change; null when nothing is left. */
function change(node: TreeNode | null, index: LeafIndex, key: Word, value: Word): TreeNode | null {
  const isRemoval = wordEquals(value, ZERO_WORD);
  if (node === null) return isRemoval ? null : makeLeaf(index, [{ key, value }]);
  const fork = forkHeight(index, node.index);
  if (fork > node.height) {
    if (isRemoval) return node;
    const leaf = makeLeaf(index, [{ key, value }]);
    return isRight(index, fork) ? makeBranch(fork, node, leaf) : makeBranch(fork, leaf, node);
  }
  if ('entries' in node) {
    const entries = changeEntries(node.entries, key, value);
    return entries.length === 0 ? null : makeLeaf(index, entries);
  }
  return changeBranch(node, index, key, value);
}

/**
 * An immutable sparse Merkle tree of depth 64 over Poseidon2, as miden-crypto's `Smt`: the leaf of
 * a key is its last element, a zero value means "no entry". A changed key costs one permutation a
 * level; an added or removed key up to 64 more, for the neighbour whose path it forks or joins.
 */
export class SparseMerkleTree {
  readonly root: Word;
  private readonly top: TreeNode | null;

  private constructor(top: TreeNode | null) {
    this.top = top;
    this.root = digestToWord(
      top === null ? emptyRoot(DEPTH) : liftDigest(top.digest, top.index, top.height, DEPTH),
    );
  }

  /** @param entries keys distinct, values not zero, in any order. */
  static of(entries: readonly LeafEntry[]): SparseMerkleTree {
    const ordered = entries.toSorted((a, b) => compareWords(a.key, b.key));
    return new SparseMerkleTree(ordered.length === 0 ? null : build(ordered, 0, ordered.length));
  }

  /** The tree with one key set, or removed when `value` is zero. */
  set(key: Word, value: Word): SparseMerkleTree {
    const top = change(this.top, leafIndex(key), key, value);
    return top === this.top ? this : new SparseMerkleTree(top);
  }
}
