/** A store that is encrypted: clients and operators see no difference, and the database sees nothing. */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import { encodeBase64 } from '../../../src/guardian/accounts/wire.ts';
import { lineWrites } from '../../../src/guardian/deltas/line-writes.ts';
import { buildSummary } from '../../../src/guardian/networks/miden/summary/build.ts';
import { operationOf, violation } from '../../http/contract/judge.ts';
import { openHolder, type Holder } from '../../http/signed.ts';
import { openOperatorStage, type Body, type OperatorStage } from '../../operators/stage.ts';
import { everyDatabase } from '../../support/databases.ts';
import { everyRow } from './scan.ts';

const key = randomBytes(32).toString('base64');
const nextKey = randomBytes(32).toString('base64');
const encrypted = { GUARDIAN_STORAGE_ENCRYPTION_KEY: key };
const rotated = {
  GUARDIAN_STORAGE_ENCRYPTION_KEY: nextKey,
  GUARDIAN_STORAGE_ENCRYPTION_KEY_ID: 'k2',
  GUARDIAN_STORAGE_ENCRYPTION_OLD_KEYS: `k1:${key}`,
};
const canary = 'to my dentist, 1234 gold';

const proposalBody = (holder: Holder, nonce: number) => ({
  account_id: holder.accountId,
  nonce: BigInt(nonce),
  delta_payload: {
    tx_summary: { data: encodeBase64(buildSummary({ state: holder.state, salt: BigInt(nonce) })) },
    signatures: [],
    metadata: { proposal_type: 'p2id', description: canary },
  },
});

/** Sends and parses, whatever the status. */
async function ask(
  { service }: OperatorStage,
  { path, init }: { path: string; init: RequestInit },
): Promise<{ status: number; body: Body }> {
  const response = await service.send(path, init);
  return { status: response.status, body: (await response.json()) as Body };
}

async function ok(stage: OperatorStage, request: { path: string; init: RequestInit }) {
  const { status, body } = await ask(stage, request);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

/** What a worker does when the chain shows a delta; it has no key. */
async function promote(database: Database, account: string): Promise<string> {
  const writes = lineWrites(database.sql);
  const {
    line_id: line,
    fence,
    candidate_id: candidate,
  } = await writes.claim({
    account,
    holder: 'worker',
  });
  const through = candidate ?? 0n;
  return (await writes.promote({ account, line, fence, candidate, through })).outcome;
}

/** The texts that no table of an encrypted store may hold. */
function plaintexts(holder: Holder, data: string): string[] {
  const bytes = Buffer.from(holder.state);
  // from where no header is any more, in every way bytes are written
  return [
    bytes.subarray(40, 80).toString('hex'),
    ...[0, 1, 2].map((skip) => bytes.subarray(42 + skip, 84 + skip).toString('base64')),
    data.slice(40, 90),
    canary,
  ];
}

/** One account with a proposal, a delta pushed from it, and another proposal that stays. */
async function fill(stage: OperatorStage) {
  const holder = await openHolder(stage.service.send);
  await ok(stage, holder.post('/delta/proposal', proposalBody(holder, 1)));
  const pending = await ok(stage, holder.post('/delta/proposal', proposalBody(holder, 2)));
  const body = holder.deltaBody(1, { note: canary });
  const delta = await ok(stage, holder.post('/delta', body));
  return { holder, body, delta, pending };
}

describe.each(everyDatabase)('an encrypted store on $name', ({ open }) => {
  let database: Database;
  let stage: OperatorStage;
  let filled: Awaited<ReturnType<typeof fill>>;
  beforeAll(async () => {
    database = await open();
    stage = await openOperatorStage(database, encrypted);
    filled = await fill(stage);
  });
  afterAll(async () => {
    await stage?.close();
    await database?.close();
  });
  const reopen = async (env: Record<string, string>) => {
    await stage.close();
    stage = await openOperatorStage(database, env);
  };

  it('answers clients as ever', async () => {
    const { holder, body, delta, pending } = filled;
    expect(delta['delta_payload']).toEqual(body['delta_payload']);
    expect(await ok(stage, holder.get('/delta', { nonce: 1n }))).toEqual(delta);
    const state = await ok(stage, holder.get('/state'));
    expect(state['state_json']).toMatchObject({ data: encodeBase64(holder.state) });
    const { proposals } = await ok(stage, holder.get('/delta/proposal'));
    expect(proposals).toHaveLength(2);
    expect(proposals).toContainEqual(pending['delta']);
    const described = (pending['delta'] as Body)['delta_payload'] as Body;
    expect(described['metadata']).toMatchObject({ description: canary });
  });

  it('knows an identical re-submission from another delta', async () => {
    const { holder, body, delta } = filled;
    expect(await ok(stage, holder.post('/delta', body))).toEqual(delta);
    const other = { ...body, delta_payload: holder.deltaBody(3)['delta_payload']! };
    expect(await ask(stage, holder.post('/delta', other))).toMatchObject({
      status: 409,
      body: { code: 'conflict_pending_delta' },
    });
  });

  it('answers operators as ever', async () => {
    const account = `/dashboard/accounts/${filled.holder.accountId}`;
    const { items: deltas } = await stage.get(`${account}/deltas`);
    expect(deltas).toMatchObject([{ nonce: 1, proposal_type: 'p2id', category: 'custom' }]);
    expect(await stage.get(`${account}/deltas/1?include=raw`)).toMatchObject({
      proposal: { proposal_type: 'p2id', description: canary },
      raw_transaction_summary: (filled.body['delta_payload'] as Body)['data'],
    });
    for (const path of [`${account}/proposals`, '/dashboard/proposals']) {
      const { items } = await stage.get(path);
      expect((items as Body[]).map((item) => item['proposal_type'])).toEqual(['p2id', 'p2id']);
    }
    expect((await stage.get('/dashboard/deltas'))['items']).toMatchObject([{ category: 'custom' }]);
    expect(await stage.get(`${account}/snapshot`)).toHaveProperty('vault');
  });

  it('holds nothing in the clear, before a promotion and after it', async () => {
    const { holder, body } = filled;
    const secret = plaintexts(holder, (body['delta_payload'] as { data: string }).data);
    const found = async () =>
      (await everyRow(database.sql)).filter((row) => secret.some((text) => row.includes(text)));
    expect(await found()).toEqual([]);
    expect(await promote(database, holder.accountId)).toBe('promoted');
    expect(await found()).toEqual([]);
    const state = await ok(stage, holder.get('/state'));
    expect(state).toMatchObject({ commitment: filled.delta['new_commitment'] });
    const merged = await ok(stage, holder.get('/delta/since', { nonce: 0n }));
    expect(merged['delta_payload']).toHaveProperty('data');
    const history = await ok(stage, holder.get('/delta/history'));
    expect(history['items']).toMatchObject([{ nonce: 1 }]);
  });

  it('lives on under a new key, without writing anything anew', async () => {
    const { holder } = filled;
    const before = await ok(stage, holder.get('/state'));
    await reopen(rotated);
    expect(await ok(stage, holder.get('/state'))).toEqual(before);
    expect(await ok(stage, holder.get('/delta', { nonce: 1n }))).toMatchObject({
      delta_payload: filled.body['delta_payload'],
    });
    const other = await openHolder(stage.service.send);
    await ok(stage, other.post('/delta', other.deltaBody(1)));
    const kids = await database.sql<{ kid: string; account_id: string }[]>`
      select account_id, payload ->> 'kid' as kid from guardian.delta order by candidate_id`;
    expect(kids.map(({ kid }) => kid)).toEqual(['k1', 'k2']);
    // the fingerprint rests on the first key, so it is known after a rotation too
    expect(await ok(stage, other.post('/delta', other.deltaBody(1)))).toHaveProperty('ack_sig');
  });

  it('opens no envelope that was changed, swapped, or sealed with a lost key', async () => {
    const { sql } = database;
    const [one, two] = [await openHolder(stage.service.send), await openHolder(stage.service.send)];
    const unavailable = { status: 503, body: { code: 'account_data_unavailable' } };
    const refused = async (holder: Holder, path: string, query: Record<string, bigint> = {}) => {
      const answer = await ask(stage, holder.get(path, query));
      expect(answer).toMatchObject(unavailable);
      const operation = operationOf('GET', path);
      if (!operation) throw new Error(`${path} is not in the document`);
      expect(violation(operation, answer.status, answer.body)).toBeUndefined();
      expect(JSON.stringify(answer.body)).not.toMatch(/"ct"|AES|kid/);
    };
    // an account's state in the place of another's
    await sql`update guardian.account a set state = b.state from guardian.account b
      where (a.account_id, b.account_id) in ((${one.accountId}, ${two.accountId}))`;
    await refused(one, '/state');
    expect((await ask(stage, two.get('/state'))).status).toBe(200);
    // a delta's payload in the place of another's, of the same account
    await ok(stage, two.post('/delta', two.deltaBody(4)));
    await sql`update guardian.delta d set payload = o.payload from guardian.delta o
      where d.account_id = ${two.accountId} and o.account_id = ${filled.holder.accountId}`;
    await refused(two, '/delta', { nonce: 4n });
    // a key that nobody has any more
    await sql`update guardian.proposal
      set payload = jsonb_set(payload::jsonb, '{kid}', '"k7"')::json
      where account_id = ${filled.holder.accountId}`;
    await refused(filled.holder, '/delta/proposal');
    // what cannot be opened hides nothing else from an operator
    const { items } = await stage.get('/dashboard/deltas');
    expect((items as Body[]).filter((item) => 'category' in item).length).toBeGreaterThan(0);
    expect((items as Body[]).filter((item) => !('category' in item))).toMatchObject([
      { account_id: two.accountId, nonce: 4 },
    ]);
    const snapshot = `/dashboard/accounts/${one.accountId}/snapshot`;
    const init = { headers: { cookie: stage.cookies.reader } };
    expect(await ask(stage, { path: snapshot, init })).toMatchObject(unavailable);
  });
});

it('the search for plaintext finds it in a store that is not encrypted', async () => {
  const database = await everyDatabase[0]!.open();
  const stage = await openOperatorStage(database);
  const { holder, body } = await fill(stage);
  const rows = await everyRow(database.sql);
  const [hex, , , , data, text] = plaintexts(
    holder,
    (body['delta_payload'] as { data: string }).data,
  );
  for (const known of [hex, data, text]) {
    expect(rows.filter((row) => row.includes(known!)).length, known).toBeGreaterThan(0);
  }
  await stage.close();
  await database.close();
});
