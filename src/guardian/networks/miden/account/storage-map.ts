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

  /** The map with one key set, or removed when `value` is zero. */
  set(key: Word, value: Word): StorageMap {
    const at = this.search(key);
    const entry = this.entries[at];
    const isPresent = entry !== undefined && wordEquals(entry[0], key);
    const added: MapEntry[] = wordEquals(value, ZERO_WORD) ? [] : [[key, value]];
    const entries = this.entries.toSpliced(at, isPresent ? 1 : 0, ...added);
    return new StorageMap(entries, this.tree?.set(treeKey(key), value) ?? null);
  }

  /** Root of the sparse Merkle tree over the hashed keys. */
  root(): Word {
    this.tree ??= SparseMerkleTree.of(
      this.entries.map(([key, value]) => ({ key: treeKey(key), value })),
    );
    return this.tree.root;
  }
}
