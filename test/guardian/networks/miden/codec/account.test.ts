import { describe, expect, it } from 'vitest';
import type { Account } from '../../../../../src/guardian/networks/miden/account/account.ts';
import { buildAccount } from '../../../../../src/guardian/networks/miden/account/build.ts';
import { StorageMap } from '../../../../../src/guardian/networks/miden/account/storage-map.ts';
import {
  parseAccount,
  serializeAccount,
} from '../../../../../src/guardian/networks/miden/codec/account.ts';
import { slotName } from '../../../../../src/guardian/networks/miden/codec/slot-name.ts';
import { P } from '../../../../../src/guardian/networks/miden/field.ts';
import { planOf, PROTOCOLS } from '../account/plans.ts';

const existing = (protocol: (typeof PROTOCOLS)[number]) =>
  parseAccount(buildAccount(planOf(protocol, { nonce: 3n })));

/** Serializes what the types allow but the format does not. */
const reparse = (account: Account) => () => parseAccount(serializeAccount(account));

describe.each(PROTOCOLS)('accounts of protocol %s', (protocol) => {
  it('are written as they were read', () => {
    for (const nonce of [0n, 1n, P - 1n]) {
      const bytes = buildAccount(planOf(protocol, { nonce }));
      const account = parseAccount(bytes);
      expect(account.code.protocol).toBe(protocol);
      expect(account.nonce).toBe(nonce);
      expect(serializeAccount(account)).toEqual(bytes);
    }
  });

  it('do not keep the bytes they were read from', () => {
    const bytes = buildAccount(planOf(protocol));
    const { forest } = parseAccount(bytes).code;
    expect(forest.buffer).not.toBe(bytes.buffer);
  });

  it('are refused when slots are out of order or doubled', () => {
    const account = existing(protocol);
    const order = 'storage slots are not in strictly ascending order';
    expect(reparse({ ...account, slots: account.slots.toReversed() })).toThrow(order);
    const doubled = [...account.slots, account.slots.at(-1)!];
    expect(reparse({ ...account, slots: doubled })).toThrow(order);
  });

  it('are refused when map keys are out of order, doubled, or without a value', () => {
    const account = existing(protocol);
    const withMap = (...entries: ConstructorParameters<typeof StorageMap>[0]) =>
      reparse({
        ...account,
        slots: [{ type: 'map', name: slotName('a::b'), map: new StorageMap(entries) }],
      });
    const one = [1n, 0n, 0n, 0n] as const;
    // The last element is the most significant.
    const low = [[5n, 0n, 0n, 0n], one] as const;
    const high = [[0n, 0n, 0n, 1n], one] as const;
    expect(withMap(low, high)).not.toThrow();
    expect(withMap(high, low)).toThrow('map keys are not in strictly ascending order');
    expect(withMap(low, low)).toThrow('map keys are not in strictly ascending order');
    expect(withMap([one, [0n, 0n, 0n, 0n]])).toThrow('a map entry has a zero value');
  });

  it('are refused when the seed does not belong to them', () => {
    const account = parseAccount(buildAccount(planOf(protocol)));
    const seed = account.seed!;
    const wrong = 'the seed does not give the account id';
    expect(reparse({ ...account, seed: [seed[0], seed[1] + 1n, 0n, 0n] })).toThrow(wrong);
    expect(reparse({ ...account, slots: account.slots.slice(1) })).toThrow(wrong);
    const needless = 'a seed belongs to an account of nonce 0, and only';
    expect(reparse({ ...account, nonce: 1n })).toThrow(needless);
    expect(reparse({ ...account, seed: null })).toThrow(needless);
  });

  it('may be made by hand where their origin does not matter', () => {
    const account = parseAccount(buildAccount(planOf(protocol)));
    const procedures = account.code.procedures.with(0, [1n, 2n, 3n, 4n]);
    const bytes = serializeAccount({
      ...account,
      slots: account.slots.slice(1),
      code: { ...account.code, procedures },
    });
    expect(() => parseAccount(bytes)).toThrow('a procedure of the account');
    expect(serializeAccount(parseAccount(bytes, 'any'))).toEqual(bytes);
  });

  it('are refused when a procedure is not in the forest', () => {
    const account = existing(protocol);
    const procedures = account.code.procedures.with(0, [1n, 2n, 3n, 4n]);
    expect(reparse({ ...account, code: { ...account.code, procedures } })).toThrow(
      'a procedure of the account is not in its MAST forest',
    );
  });

  it('are refused with assets, with an unknown MAST version, with trailing bytes', () => {
    const bytes = buildAccount(planOf(protocol));
    expect(() => parseAccount(bytes.with(15, 0b11))).toThrow('the vault holds assets');
    const magic = bytes.findIndex((_, i) => bytes[i] === 0x4d && bytes[i + 1] === 0x41);
    expect(() => parseAccount(bytes.with(magic + 7, 5))).toThrow(
      'unsupported MAST forest: version 0.0.5',
    );
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(() => parseAccount(longer)).toThrow('trailing bytes');
  });
});
