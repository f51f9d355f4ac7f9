import { describe, expect, it } from 'vitest';
import { buildAccount } from '../../../../../src/guardian/networks/miden/account/build.ts';
import { slotName } from '../../../../../src/guardian/networks/miden/codec/slot-name.ts';
import { P } from '../../../../../src/guardian/networks/miden/field.ts';
import { buildSummary } from '../../../../../src/guardian/networks/miden/summary/build.ts';
import {
  parseSummary,
  serializeSummary,
} from '../../../../../src/guardian/networks/miden/summary/codec.ts';
import { summaryCommitment } from '../../../../../src/guardian/networks/miden/summary/commitment.ts';
import type { TransactionSummary } from '../../../../../src/guardian/networks/miden/summary/summary.ts';
import { ZERO_WORD } from '../../../../../src/guardian/networks/miden/word.ts';
import { commitmentOf, planOf, PROTOCOLS } from '../account/plans.ts';

describe.each(PROTOCOLS)('summaries of protocol %s', (protocol) => {
  const state = buildAccount(planOf(protocol));
  const bytes = buildSummary({ state, addSigner: commitmentOf(3), threshold: 3, salt: 5n });
  const summary = parseSummary(bytes, protocol);
  const reparse = (changed: Partial<TransactionSummary>) =>
    parseSummary(serializeSummary({ ...summary, ...changed }), protocol);
  /** Bytes between the changes and the binding: three asset lists, code, nonce, notes. */
  const nonceAt = bytes.length - (protocol === '0.15' ? 32 : 32 + 2 + 56) - 4 - 8;

  it('are written as they were read', () => {
    expect(serializeSummary(summary)).toEqual(bytes);
    expect(summary.changes.map(({ type }) => type).toSorted()).toEqual(['map', 'map', 'value']);
  });

  it('bind every part in their commitment', () => {
    const [first, ...others] = summary.changes;
    const word = [1n, 2n, 3n, 4n] as const;
    const bindings: TransactionSummary['binding'][] =
      protocol === '0.15'
        ? [{ protocol, salt: word }]
        : [
            {
              protocol,
              blockCommitment: word,
              expirationDelta: 0,
              userParameters: [5n, 0n, 0n, 0n, 0n, 0n, 0n],
            },
            {
              protocol,
              blockCommitment: ZERO_WORD,
              expirationDelta: 1,
              userParameters: [5n, 0n, 0n, 0n, 0n, 0n, 0n],
            },
            {
              protocol,
              blockCommitment: ZERO_WORD,
              expirationDelta: 0,
              userParameters: [5n, 0n, 0n, 0n, 0n, 0n, 1n],
            },
          ];
    const variants: TransactionSummary[] = [
      summary,
      { ...summary, nonceDelta: 2n },
      { ...summary, changes: others },
      { ...summary, changes: [{ ...first!, name: slotName('a::b') }, ...others] },
      ...bindings.map((binding) => Object.assign({}, summary, { binding })),
    ];
    const commitments = variants.map((variant) => summaryCommitment(variant).join());
    expect(new Set(commitments).size).toBe(variants.length);
  });

  it('keep cleared slots and keys', () => {
    const changes = summary.changes.map((change) =>
      change.type === 'value'
        ? { ...change, value: ZERO_WORD }
        : { ...change, entries: [...change.entries, [[9n, 0n, 0n, 0n], ZERO_WORD] as const] },
    );
    expect(reparse({ changes }).changes).toEqual(changes);
  });

  it('are refused when they change nothing in a map, a slot twice, or a key twice', () => {
    const map = summary.changes.find((change) => change.type === 'map')!;
    const twice = [map.entries[0]!, map.entries[0]!];
    expect(() => reparse({ changes: [{ ...map, entries: [] }] })).toThrow('without entries');
    expect(() => reparse({ changes: [map, map] })).toThrow('a slot is changed twice');
    expect(() => reparse({ changes: [{ ...map, entries: twice }] })).toThrow('strictly ascending');
    const both = [map.entries[0]!, [map.entries[0]![0], ZERO_WORD] as const];
    expect(() => reparse({ changes: [{ ...map, entries: both }] })).toThrow(
      'a map key is changed twice',
    );
  });

  it('are refused when they are not in canonical order', () => {
    const maps = summary.changes.filter((change) => change.type === 'map');
    expect(() => reparse({ changes: maps.toReversed() })).toThrow('not in canonical form');
  });

  it('are refused when the nonce does not rise', () => {
    expect(() => reparse({ nonceDelta: 0n })).toThrow('must raise the account nonce');
    expect(() => reparse({ nonceDelta: P })).toThrow('non-canonical field element');
  });

  it('are refused with assets, code or notes', () => {
    for (const at of [nonceAt - 4, nonceAt - 3, nonceAt - 2]) {
      expect(() => parseSummary(bytes.with(at, 0b11), protocol)).toThrow(
        'asset changes are not verified',
      );
    }
    expect(() => parseSummary(bytes.with(nonceAt - 1, 1), protocol)).toThrow(
      'a summary with code (a new account or an upgrade) is not verified',
    );
    expect(() => parseSummary(bytes.with(nonceAt + 8, 1), protocol)).toThrow(
      'input notes are not verified',
    );
    expect(() => parseSummary(bytes.with(nonceAt + 10, 1), protocol)).toThrow(
      'output notes are not verified',
    );
  });

  it('are refused in the format of the other protocol', () => {
    const other = protocol === '0.15' ? '0.16' : '0.15';
    expect(() => parseSummary(bytes, other)).toThrow('transaction summary: ');
  });
});

it('slots created or removed on 0.16 are refused', () => {
  const state = buildAccount(planOf('0.16'));
  const bytes = buildSummary({ state, threshold: 1, salt: 5n });
  const operationAt = 15 + 1 + 1 + bytes[16]! + 1;
  expect(bytes[operationAt]).toBe(1);
  for (const operation of [0, 2, 3]) {
    expect(() => parseSummary(bytes.with(operationAt, operation), '0.16')).toThrow(
      'creating or removing slots is not verified',
    );
  }
});

it('a plan with a signer that is not a word is refused', () => {
  const state = buildAccount(planOf('0.16'));
  expect(() => buildSummary({ state, addSigner: '0x12', salt: 0n })).toThrow('64 hex digits');
});
