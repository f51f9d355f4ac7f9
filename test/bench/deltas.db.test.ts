import { beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Sql } from '../../src/database/connect.ts';
import type { Candidate } from '../../src/guardian/deltas/submission-writes.ts';
import { createDatabase } from '../support/databases.ts';
import {
  createDeltaAccounts,
  DeltaLine,
  judgeStored,
  storeDeltas,
  type Way,
} from './kernel/deltas.ts';

const clean = { order_violations: 0, lost: 0, duplicates: 0 };

let sql: Sql;

beforeEach(async () => {
  const { url } = await createDatabase();
  const database = await openDatabase({ databaseUrl: url });
  sql = database.sql;
  await createDeltaAccounts(sql, 2);
  return () => database.close();
});

/** Three deltas of each of two accounts. */
async function storeSix(way: Way): Promise<Candidate[]> {
  const store = storeDeltas(sql, way, 4);
  const lines = [new DeltaLine(1, 'account'), new DeltaLine(2, 'account')];
  const answered: Candidate[] = [];
  for (let n = 0; n < 3; n++) {
    await Promise.all(
      lines.map(async (line) => {
        const delta = line.next();
        await store(delta);
        answered.push(delta);
      }),
    );
  }
  return answered;
}

describe.each(['together', 'alone', 'plain'] as const)('deltas stored: %s', (way) => {
  test('are there, with what a delta has to bring along', async () => {
    const answered = await storeSix(way);
    expect(await judgeStored(sql, answered, way !== 'plain')).toEqual(clean);
    const [rows] = await sql`
      select count(*)::int as deltas, min(octet_length(result_state)) as state,
        min(octet_length(payload::text)) as payload,
        (select count(*)::int from guardian.signer_clock) as clocks,
        (select count(*)::int from canonry.candidate) as candidates,
        (select count(*)::int from graphile_worker.jobs) as jobs
      from guardian.delta`;
    expect(rows).toEqual({
      deltas: 6,
      state: 15_968,
      payload: 455,
      clocks: 2,
      candidates: 6,
      jobs: way === 'plain' ? 0 : 2,
    });
  });
});

test('an answer without a delta, and a candidate without one, are noticed', async () => {
  const answered = await storeSix('together');
  await sql`delete from guardian.delta where nonce = 3 and account_id like '%1'`;
  expect(await judgeStored(sql, answered, true)).toEqual({ ...clean, lost: 1, duplicates: 1 });
});

test('deltas of an account without a wake-up are lost', async () => {
  const answered = await storeSix('together');
  await sql`select graphile_worker.remove_job(key) from graphile_worker.jobs
    where key like '%1'`;
  expect(await judgeStored(sql, answered, true)).toEqual({ ...clean, lost: 3 });
});

test('candidates that do not follow the nonces are out of order', async () => {
  const answered = await storeSix('together');
  await sql`update guardian.delta set nonce = 10 - nonce where account_id like '%1'`;
  const { order_violations } = await judgeStored(sql, answered, true);
  expect(order_violations).toBe(2);
});

test('a delta that is refused ends the run', async () => {
  const store = storeDeltas(sql, 'together', 4);
  const line = new DeltaLine(1, 'none');
  line.next();
  await expect(store(line.next())).rejects.toThrow('a delta was refused: commitment_mismatch');
});
