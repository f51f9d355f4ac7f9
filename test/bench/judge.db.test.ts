import fs from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { openDatabase, type Sql } from '../../src/database/connect.ts';
import { createDatabase } from '../support/databases.ts';
import { createAccounts, judge, submitAll } from './kernel/load.ts';

const load = { accounts: 2, each: 3, wakeQueue: 'none' } as const;
const secret = 'of this test';
const clean = { order_violations: 0, lost: 0, duplicates: 0, without_answer: 0 };

let sql: Sql;

/** Six payments, each finalized in its place with the chain's answer. */
beforeEach(async () => {
  const { url } = await createDatabase();
  const database = await openDatabase({ databaseUrl: url });
  sql = database.sql;
  await sql.unsafe(fs.readFileSync(new URL('./kernel/schema.sql', import.meta.url), 'utf8'));
  await createAccounts(sql, load);
  await submitAll(sql, load);
  await sql`
    insert into bench.effect (account, candidate_id, seq, receipt)
    select account, candidate_id, seq, md5(account || ':' || seq || ':' || ${secret})
    from bench.payment order by candidate_id`;
  await sql`update bench.account set balance = 3, finalized = 3`;
  return () => database.close();
});

test('a faultless history is judged so', async () => {
  expect(await judge(sql, secret)).toEqual(clean);
});

test('an effect before its elder is out of order', async () => {
  await sql`alter table bench.effect alter pos drop identity`;
  await sql`update bench.effect set pos = pos + 100 where account = 'a1' and seq = 1`;
  expect(await judge(sql, secret)).toEqual({ ...clean, order_violations: 1 });
});

test('a payment without an effect is lost', async () => {
  await sql`delete from bench.effect where account = 'a2' and seq = 3`;
  await sql`update bench.account set balance = 2, finalized = 2 where account = 'a2'`;
  expect(await judge(sql, secret)).toEqual({ ...clean, lost: 1 });
});

test('a second effect of a payment is a duplicate, and so is a total that says so', async () => {
  await sql`
    insert into bench.effect (account, candidate_id, seq, receipt)
    select account, candidate_id, seq, receipt from bench.effect
    where account = 'a1' and seq = 3`;
  expect(await judge(sql, secret)).toMatchObject({ lost: 0, duplicates: 2 });
});

test('an effect without the answer of the chain is noticed', async () => {
  await sql`update bench.effect set receipt = md5('guessed') where account = 'a1' and seq = 2`;
  expect(await judge(sql, secret)).toEqual({ ...clean, without_answer: 1 });
});
