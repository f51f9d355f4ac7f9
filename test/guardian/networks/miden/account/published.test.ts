/** Guardian's published accounts and deltas, computed without a server: the published commitments. */
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../../../src/guardian/accounts/wire.ts';
import {
  AccountCache,
  applyDelta,
  inspectAccount,
} from '../../../../../src/guardian/networks/miden/account/engine.ts';
import {
  parseAccount,
  serializeAccount,
} from '../../../../../src/guardian/networks/miden/codec/account.ts';
import {
  parseSummary,
  serializeSummary,
} from '../../../../../src/guardian/networks/miden/summary/codec.ts';
import {
  fixtureFolder,
  fixtureProtocols,
  fixturesMissing,
  readAccountFixture,
} from '../../../../support/fixtures.ts';

describe('published accounts and deltas', () => {
  it.for(fixtureProtocols)('of protocol %s have the published commitments', (protocol, test) => {
    test.skip(!fixtureFolder, fixturesMissing);
    const { account, delta, commitments } = readAccountFixture(protocol);
    const accountId = account.account_id;
    const state = decodeBase64(account.data, 'invalid_input');
    const summary = decodeBase64(delta.delta_payload.data, 'invalid_delta');

    expect(serializeAccount(parseAccount(state))).toEqual(state);
    expect(serializeSummary(parseSummary(summary, protocol))).toEqual(summary);
    expect(inspectAccount(state)).toMatchObject({
      accountId,
      commitment: commitments.initial_commitment,
      protocol,
      threshold: 2,
    });
    const applied = applyDelta({ accountId, state, summary }, new AccountCache());
    expect(applied.account.commitment).toBe(commitments.commitment_after_delta_1);
    expect(applied.account.signerCommitments).toHaveLength(4);
    expect(inspectAccount(applied.state)).toEqual(applied.account);
  });
});
