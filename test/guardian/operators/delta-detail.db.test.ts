/** What is stored may be hostile: whatever it is, the answer is 200 and says what is missing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import { encodeBase64 } from '../../../src/guardian/accounts/wire.ts';
import {
  accountOf,
  insertAccounts,
  insertDelta,
  openOperatorStage,
  walk,
  type Body,
  type OperatorStage,
} from '../../operators/stage.ts';
import { everyDatabase } from '../../support/databases.ts';

const account = accountOf(1);
const noise = encodeBase64(Uint8Array.from({ length: 600 }, (_, i) => (i * 151) % 256));
const wide = `{"data":"${'A'.repeat(40_000)}"}`;
const deep = `${'['.repeat(500)}${']'.repeat(500)}`;

/** Payload, and the reason that the answer gives for not reading it. */
const payloads: [string, string, string][] = [
  ['an empty object', '{}', 'missing_data_field'],
  ['null', 'null', 'missing_data_field'],
  ['a list', '[1,2]', 'missing_data_field'],
  ['a number for data', '{"data":7}', 'missing_data_field'],
  ['an object for data', '{"data":{"data":"AA=="}}', 'missing_data_field'],
  ['a prototype', '{"__proto__":{"data":"AA=="}}', 'missing_data_field'],
  ['a zero character', String.raw`{"a":"\u0000","data":"AA=="}`, 'malformed_tx_summary'],
  ['a lone surrogate', String.raw`{"data":"\ud800"}`, 'missing_data_field'],
  ['deep nesting', `{"data":${deep}}`, 'missing_data_field'],
  ['text that is not base64', '{"data":"%%%"}', 'malformed_base64'],
  ['base64 cut short', '{"data":"AAA"}', 'malformed_base64'],
  ['no bytes', '{"data":""}', 'malformed_tx_summary'],
  ['noise', `{"data":"${noise}"}`, 'malformed_tx_summary'],
  ['many bytes', wide, 'malformed_tx_summary'],
];

/** Metadata, and what is left of it; null when it cannot be read. */
const proposals: [string, string, Body | null][] = [
  ['null', 'null', null],
  ['text', '"p2id"', null],
  ['no type', '{"amount":"1"}', null],
  ['a number for the type', '{"proposal_type":7}', null],
  ['deep nesting', `{"proposal_type":"x","y":${deep}}`, null],
  [
    'members of the wrong type',
    `{"proposal_type":"x","amount":7,"salt":null,"required_signatures":-1,"target_threshold":1.5,
      "note_ids":["a",1],"signer_commitments":"s","reclaim_height":0,"timelock_height":4294967296,
      "consume_notes_metadata_version":99999999999999999999,"unknown":true}`,
    { proposal_type: 'x' },
  ],
  [
    'members of the right one',
    `{"proposal_type":"p2id","amount":"7","required_signatures":0,"note_ids":["a"],
      "reclaim_height":4294967295,"description":""}`,
    {
      proposal_type: 'p2id',
      amount: '7',
      required_signatures: 0,
      note_ids: ['a'],
      reclaim_height: 4_294_967_295,
      description: '',
    },
  ],
];

describe.each(everyDatabase)('hostile deltas on $name', ({ open }) => {
  let database: Database;
  let stage: OperatorStage;
  beforeAll(async () => {
    database = await open();
    await insertAccounts(database, 3);
    for (const [index, [, payload]] of payloads.entries()) {
      await insertDelta(database, { account, nonce: index, status: 'canonical', payload });
    }
    for (const [index, [, proposal]] of proposals.entries()) {
      await insertDelta(database, { account, nonce: 100 + index, status: 'canonical', proposal });
    }
    const at = { account: accountOf(2), secondsAgo: 100 };
    await insertDelta(database, { ...at, nonce: 1, status: 'retained', reason: 'diverged' });
    await insertDelta(database, { ...at, nonce: 2, status: 'candidate' });
    stage = await openOperatorStage(database);
  });
  afterAll(async () => {
    await stage?.close();
    await database?.close();
  });
  const detailOf = (nonce: number, query = '') =>
    stage.get(`/dashboard/accounts/${account}/deltas/${nonce}${query}`);

  it.each(payloads.map(([name, payload, reason], nonce) => ({ name, payload, reason, nonce })))(
    'a payload that is $name',
    async ({ payload, reason, nonce }) => {
      const detail = await detailOf(nonce, '?include=x,raw');
      expect(detail).toMatchObject({
        nonce,
        input_notes: [],
        output_notes: [],
        vault_changes: [],
        storage_changes: [],
      });
      expect(detail).not.toHaveProperty('category');
      expect(detail['decode_warnings']).toContainEqual({ section: 'tx_summary', reason });
      const data = /^\{"data":"([^"\\]*)"\}$/.exec(payload)?.[1];
      if (data !== undefined) expect(detail['raw_transaction_summary']).toBe(data);
      expect(await detailOf(nonce)).not.toHaveProperty('raw_transaction_summary');
    },
  );

  it.each(proposals.map(([name, , left], index) => ({ name, left, nonce: 100 + index })))(
    'metadata that is $name',
    async ({ left, nonce }) => {
      const detail = await detailOf(nonce);
      const warning = { section: 'metadata', reason: 'malformed_metadata' };
      if (left) {
        expect(detail['proposal']).toEqual(left);
        expect(detail['decode_warnings']).not.toContainEqual(warning);
      } else {
        expect(detail).not.toHaveProperty('proposal');
        expect(detail['decode_warnings']).toContainEqual(warning);
      }
    },
  );

  it('lists show all of them', async () => {
    const most = payloads.length + proposals.length;
    const { items } = await walk(
      (path) => stage.get(path),
      `/dashboard/accounts/${account}/deltas`,
      4,
    );
    expect(items).toHaveLength(most);
    expect(items.filter((item) => item['proposal_type'] === 'x')).toHaveLength(1);
    const all = await walk((path) => stage.get(path), '/dashboard/deltas', 5);
    expect(all.items).toHaveLength(most + 2);
  });

  it('a retained delta says until when, and whether its base is still there', async () => {
    const path = `/dashboard/accounts/${accountOf(2)}/deltas`;
    const retained = await stage.get(`${path}/1`);
    expect(retained).toMatchObject({
      status: 'retained',
      status_reason: 'diverged',
      base_matches_stored_state: false,
    });
    expect(retained).not.toHaveProperty('retry_count');
    const since = Date.parse(String(retained['status_timestamp']));
    expect(Date.parse(String(retained['retained_expires_at'])) - since).toBe(86_400_000);
    const candidate = await stage.get(`${path}/2`);
    expect(candidate).toMatchObject({ status: 'candidate', retry_count: 0 });
    expect(candidate).not.toHaveProperty('retained_expires_at');
    expect(candidate).not.toHaveProperty('status_reason');
  });

  it('the nonce has one spelling, and what is unknown looks the same', async () => {
    const path = `/dashboard/accounts/${account}/deltas`;
    for (const nonce of [
      '-1',
      '+1',
      '01',
      '0x1',
      '1.0',
      'one',
      '18446744073709551616',
      '%20',
      '1e1',
    ]) {
      await stage.refused(`${path}/${nonce}`, 400, 'invalid_input');
    }
    for (const unknown of [
      `${path}/99`,
      `${path}/18446744073709551615`,
      `/dashboard/accounts/${accountOf(99)}/deltas/0`,
      '/dashboard/accounts/hello/deltas/0',
      '/dashboard/accounts/%00/deltas/0',
    ]) {
      await stage.refused(unknown, 404, 'delta_not_found');
    }
  });
});
