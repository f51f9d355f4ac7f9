/**
 * Guardian's published accounts and deltas, when their folder is at hand: GUARDIAN_FIXTURES names
 * it (miden-0.15/ and miden-0.16/ with account.json, commitments.json, delta_1.json).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
import { PROTOCOLS } from './plans.ts';

const decode = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const folder = process.env['GUARDIAN_FIXTURES'];

describe.skipIf(folder === undefined)(
  `published accounts${folder === undefined ? ' (set GUARDIAN_FIXTURES to their folder to run)' : ''}`,
  () => {
    it.each(PROTOCOLS)('of protocol %s have the published commitments', (protocol) => {
      const read = (name: string) =>
        JSON.parse(readFileSync(join(folder!, `miden-${protocol}`, name), 'utf8'));
      const state = decode(read('account.json').data);
      const delta = read('delta_1.json');
      const summary = decode(delta.delta_payload.data);
      const commitments = read('commitments.json');

      expect(serializeAccount(parseAccount(state))).toEqual(state);
      expect(serializeSummary(parseSummary(summary, protocol))).toEqual(summary);
      expect(inspectAccount(state)).toMatchObject({
        accountId: commitments.account_id,
        commitment: commitments.initial_commitment,
        protocol,
        threshold: 2,
      });
      const accountId = commitments.account_id;
      const applied = applyDelta({ accountId, state, summary }, new AccountCache());
      expect(applied.account.commitment).toBe(commitments.commitment_after_delta_1);
      expect(applied.account.signerCommitments).toHaveLength(4);
      expect(inspectAccount(applied.state)).toEqual(applied.account);
    });
  },
);
