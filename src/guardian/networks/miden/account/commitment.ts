import { hashElements } from '../hash/poseidon2.ts';
import { SparseMerkleTree } from '../merkle/sparse-merkle-tree.ts';
import type { Word } from '../word.ts';
import type { Account, StorageSlot } from './account.ts';

/** The only vault that is read: one without assets. */
const EMPTY_VAULT_ROOT = SparseMerkleTree.of([]).root;

/** H(per slot: [0, type, id suffix, id prefix], value or map root). */
export function storageCommitment(slots: readonly StorageSlot[]): Word {
  return hashElements(
    slots.flatMap((slot) => [
      0n,
      slot.type === 'value' ? 0n : 1n,
      slot.name.idSuffix,
      slot.name.idPrefix,
      ...(slot.type === 'value' ? slot.value : slot.map.root()),
    ]),
  );
}

/** H(the roots of the procedures, in order). */
export function codeCommitment(procedures: readonly Word[]): Word {
  return hashElements(procedures.flat());
}

/**
 * The account commitment of protocols 0.15 and 0.16:
 * H([nonce, 0, id suffix, id prefix], vault root, storage commitment, code commitment).
 */
export function accountCommitment(account: Account): Word {
  return hashElements([
    account.nonce,
    0n,
    account.id.suffix,
    account.id.prefix,
    ...EMPTY_VAULT_ROOT,
    ...storageCommitment(account.slots),
    ...account.code.commitment,
  ]);
}

/**
 * The id that a new account's seed, code and storage give: [prefix, suffix], before any check.
 * The source is miden-protocol's `AccountIdV1::new`; the published accounts confirm it.
 */
export function idElements(
  seed: Word,
  code: Word,
  storage: Word,
): readonly [prefix: bigint, suffix: bigint] {
  const digest = hashElements([...seed, ...code, ...storage, 0n, 0n, 0n, 0n]);
  return [digest[1], digest[0] & ~0xffn];
}
