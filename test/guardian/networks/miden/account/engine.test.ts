import { describe, expect, it } from 'vitest';
import { buildAccount } from '../../../../../src/guardian/networks/miden/account/build.ts';
import { AccountCache } from '../../../../../src/guardian/networks/miden/account/cache.ts';
import {
  applyDelta,
  inspectAccount,
} from '../../../../../src/guardian/networks/miden/account/engine.ts';
import {
  indexKey,
  mapOf,
  multisigSlots,
  SET_FLAG,
  valueOf,
} from '../../../../../src/guardian/networks/miden/account/multisig.ts';
import {
  parseAccount,
  serializeAccount,
} from '../../../../../src/guardian/networks/miden/codec/account.ts';
import { P } from '../../../../../src/guardian/networks/miden/field.ts';
import { buildSummary } from '../../../../../src/guardian/networks/miden/summary/build.ts';
import {
  parseSummary,
  serializeSummary,
} from '../../../../../src/guardian/networks/miden/summary/codec.ts';
import type { TransactionSummary } from '../../../../../src/guardian/networks/miden/summary/summary.ts';
import { wordFromHex, ZERO_WORD } from '../../../../../src/guardian/networks/miden/word.ts';
import { commitmentOf, planOf, PROTOCOLS } from './plans.ts';

/** Computed by an independent implementation that reproduces Guardian's published commitments. */
const GOLDEN = {
  '0.15': {
    accountId: '0x9ff062501aa05e014d575aa2323056',
    commitment: '0x511c279dd2ba6fb340e4a02df8a2e7a7099e0eb20c21f34e38937bc433eecc42',
    summary: '0xe63f35f3105f9642cbe060c930979f48c9ab56be22008034de61e275436642e2',
    after: '0x09537340784377f571863bd258fdded850216cf5e70b6dfceacaf5afb896ce47',
  },
  '0.16': {
    accountId: '0x225326f44032d1014ed69cf6d918a6',
    commitment: '0xfb31873932c50afeb342ec5c651f682942ac1a6c0bb483aa9aacc1930e48b3c9',
    summary: '0xba7587f9a1ad88c361b2469cca1573096e7b57f8e9b740afb1f833ea3a004bf2',
    after: '0x8c15e9c2a1fbce6d1247f02660526488e3ac8b34d25e9b32aea5919e80fd6e5d',
  },
};

describe.each(PROTOCOLS)('protocol %s', (protocol) => {
  const state = buildAccount(planOf(protocol));
  const { accountId } = inspectAccount(state);
  const slots = multisigSlots(protocol);
  const addSigner = buildSummary({ state, addSigner: commitmentOf(3), salt: 1n });

  /** A summary that the builder would not make. */
  const edited = (edit: (summary: TransactionSummary) => TransactionSummary) =>
    serializeSummary(edit(parseSummary(addSigner, protocol)));

  it('gives the golden commitments', () => {
    const inspected = inspectAccount(state);
    const applied = applyDelta({ accountId, state, summary: addSigner });
    expect({
      accountId,
      commitment: inspected.commitment,
      summary: applied.summaryCommitment,
      after: applied.account.commitment,
    }).toEqual(GOLDEN[protocol]);
  });

  it('reads who guards the account', () => {
    const signers = Array.from({ length: 12 }, (_, i) => commitmentOf(200 - i));
    const plan = planOf(protocol, { signers, threshold: 5, nonce: 8n, scheme: 'ecdsa' });
    expect(inspectAccount(buildAccount(plan))).toMatchObject({
      protocol,
      nonce: 8n,
      signerCommitments: signers,
      threshold: 5,
      guardianCommitment: plan.guardian,
    });
  });

  it('finds no signers, threshold or guardian in an account without the multisig slots', () => {
    const account = parseAccount(buildAccount(planOf(protocol, { nonce: 1n })));
    const bare = serializeAccount({ ...account, slots: [] });
    expect(inspectAccount(bare)).toMatchObject({
      signerCommitments: [],
      threshold: null,
      guardianCommitment: null,
    });
  });

  it('applies what the summary says, raises the nonce and drops the seed', () => {
    const { account, state: after } = applyDelta({ accountId, state, summary: addSigner });
    expect(account).toMatchObject({
      nonce: 1n,
      signerCommitments: [1, 2, 3].map(commitmentOf),
      threshold: 2,
    });
    expect(inspectAccount(after)).toEqual(account);
    expect(parseAccount(after).seed).toBeNull();
    const schemes = mapOf(parseAccount(after), slots.signerSchemes);
    expect(schemes.get(indexKey(2))).toEqual([2n, 0n, 0n, 0n]);
  });

  it('remembers the transaction in the account and refuses it a second time', () => {
    const first = applyDelta({ accountId, state, summary: addSigner });
    const executed = mapOf(parseAccount(first.state), slots.executedTransactions);
    expect(executed.entries).toEqual([[wordFromHex(first.summaryCommitment), SET_FLAG]]);
    expect(() => applyDelta({ accountId, state: first.state, summary: addSigner })).toThrow(
      'the account has already executed this transaction',
    );
  });

  it('remembers nothing in an account that is not a multisig account', () => {
    const account = parseAccount(buildAccount(planOf(protocol, { nonce: 1n })));
    const kept = account.slots.filter((slot) => slot.name !== slots.thresholdConfig);
    const other = serializeAccount({ ...account, slots: kept });
    const nothing = edited((summary) => ({ ...summary, changes: [] }));
    const { state: after } = applyDelta({ accountId, state: other, summary: nothing });
    expect(mapOf(parseAccount(after), slots.executedTransactions).entries).toEqual([]);
  });

  it('gives each salt its own commitment', () => {
    const other = buildSummary({ state, addSigner: commitmentOf(3), salt: 2n });
    const commitments = [addSigner, other].map(
      (summary) => applyDelta({ accountId, state, summary }).summaryCommitment,
    );
    expect(new Set(commitments).size).toBe(2);
  });

  it('clears values and removes keys', () => {
    const summary = edited((from) => ({
      ...from,
      changes: from.changes.map((change) =>
        change.type === 'value'
          ? { ...change, value: ZERO_WORD }
          : { ...change, entries: [[indexKey(0), ZERO_WORD]] },
      ),
    }));
    const { account, state: after } = applyDelta({ accountId, state, summary });
    expect(account).toMatchObject({ signerCommitments: [commitmentOf(2)], threshold: 0 });
    expect(valueOf(parseAccount(after), slots.thresholdConfig)).toEqual(ZERO_WORD);
  });

  it('refuses what does not fit together', () => {
    const other = buildAccount(planOf(protocol, { salt: 8n }));
    expect(() => applyDelta({ accountId, state: other, summary: addSigner })).toThrow(
      'the state is of account',
    );
    const otherSummary = buildSummary({ state: other, salt: 1n });
    expect(() => applyDelta({ accountId, state, summary: otherSummary })).toThrow(
      'the summary names account',
    );
    const account = parseAccount(buildAccount(planOf(protocol, { nonce: P - 1n })));
    const old = serializeAccount({ ...account });
    expect(() => applyDelta({ accountId, state: old, summary: addSigner })).toThrow(
      'the account nonce overflows',
    );
    const without = serializeAccount({
      ...parseAccount(buildAccount(planOf(protocol, { nonce: 1n }))),
      slots: [],
    });
    expect(() => applyDelta({ accountId, state: without, summary: addSigner })).toThrow(
      'the account has no slot',
    );
    const wrongType = edited((summary) => ({
      ...summary,
      changes: summary.changes.map(({ name }) => ({ type: 'value', name, value: ZERO_WORD })),
    }));
    expect(() => applyDelta({ accountId, state, summary: wrongType })).toThrow(
      'is changed as if it were of another type',
    );
  });

  it('gives the same results with a cache as without', () => {
    const cache = new AccountCache();
    let [cached, plain] = [state, state];
    for (let i = 0; i < 20; i++) {
      const summary = buildSummary({ state: cached, threshold: i, salt: BigInt(i) });
      const [a, b] = [
        applyDelta({ accountId, state: cached, summary }, cache),
        applyDelta({ accountId, state: plain, summary }),
      ];
      expect(a).toEqual(b);
      expect(inspectAccount(a.state)).toEqual(a.account);
      [cached, plain] = [a.state, b.state];
    }
  });
});

it('on 0.15 switches the guardian back on if it was on, and leaves it off if it was off', () => {
  const account = parseAccount(buildAccount(planOf('0.15', { nonce: 1n })));
  const selector = multisigSlots('0.15').guardianSelector!;
  const accountId = account.id.text;
  const switched = (on: boolean) =>
    serializeAccount({
      ...account,
      slots: account.slots.map((slot) =>
        slot.name === selector
          ? { type: 'value', name: selector, value: on ? SET_FLAG : ZERO_WORD }
          : slot,
      ),
    });
  const after = (on: boolean, turnsOff: boolean) => {
    const state = switched(on);
    const summary = serializeSummary({
      ...parseSummary(buildSummary({ state, salt: 1n }), '0.15'),
      changes: turnsOff ? [{ type: 'value', name: selector, value: ZERO_WORD }] : [],
    });
    return valueOf(parseAccount(applyDelta({ accountId, state, summary }).state), selector);
  };
  expect(after(true, true)).toEqual(SET_FLAG);
  expect(after(true, false)).toEqual(SET_FLAG);
  expect(after(false, false)).toEqual(ZERO_WORD);
});
