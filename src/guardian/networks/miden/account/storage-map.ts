import { hashElements } from '../hash/poseidon2.ts';
import { SparseMerkleTree } from '../merkle/sparse-merkle-tree.ts';
import { compareWords, type Word, wordEquals, ZERO_WORD } from '../word.ts';

export type MapEntry = readonly [key: Word, value: Word];

/** Keys are hashed before they enter the tree, so that nobody can choose where they fall. */
function treeKey(key: Word): Word {
  return hashElements(key);
}

/**
 * The map of a storage slot: immutable, ordered by key, its tree built when first asked for and
 * shared with the maps derived from it.
 */
export class StorageMap {
  static readonly empty = new StorageMap([]);
  /** Ordered by key, no value zero. */
  readonly entries: readonly MapEntry[];
  private tree: SparseMerkleTree | null;

  /** @param entries strictly ordered by key, no value zero. */
  constructor(entries: readonly MapEntry[], tree: SparseMerkleTree | null = null) {
    this.entries = entries;
    this.tree = tree;
  }

  /** Position of the key, or of the first greater one. */
  private search(key: Word): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareWords(this.entries[middle]![0], key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The value of a key; the zero word when it has none. */
  get(key: Word): Word {
    const entry = this.entries[this.search(key)];
    return entry !== undefined && wordEquals(entry[0], key) ? entry[1] : ZERO_WORD;
  }

  /** The map with these keys set, or removed where the value is zero. `changes` is strictly ordered. */
  change(changes: readonly MapEntry[]): StorageMap {
    const entries: MapEntry[] = [];
    let from = 0;
    for (const [key, value] of changes) {
      const at = this.search(key);
      for (; from < at; from++) entries.push(this.entries[from]!);
      const entry = this.entries[at];
      if (entry !== undefined && wordEquals(entry[0], key)) from = at + 1;
      if (!wordEquals(value, ZERO_WORD)) entries.push([key, value]);
    }
    for (; from < this.entries.length; from++) entries.push(this.entries[from]!);
    return new StorageMap(entries, this.changeTree(changes));
  }

  /** Null, to be built anew, where that costs less than following each change. */
  private changeTree(changes: readonly MapEntry[]): SparseMerkleTree | null {
    if (this.tree === null || changes.length > this.entries.length) return null;
    return changes.reduce((tree, [key, value]) => tree.set(treeKey(key), value), this.tree);
  }

  /** Root of the sparse Merkle tree over the hashed keys. */
  root(): Word {
    this.tree ??= SparseMerkleTree.of(
      this.entries.map(([key, value]) => ({ key: treeKey(key), value })),
    );
    return this.tree.root;
  }
}
