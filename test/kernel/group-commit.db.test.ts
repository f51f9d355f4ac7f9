/** Group commit on real statements: what the database refuses does not take its neighbours along. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/connect.ts';
import { groupCommit, rowsAsJson } from '../../src/kernel/group-commit.ts';
import { everyDatabase } from '../support/databases.ts';

interface Claim {
  account: string;
  holder: string;
}

describe.each(everyDatabase)('group commit on $name', ({ open }) => {
  let database: Database;
  let statements = 0;

  beforeAll(async () => {
    database = await open();
    await database.sql`create table public.written (account text primary key, position int)`;
    await database.sql`create function public.write_one(p_account text) returns int
      language plpgsql as $$
      begin
        if p_account like 'refused%' then raise exception 'refused %', p_account; end if;
        insert into public.written values (p_account, (select count(*) from public.written));
        return (select position from public.written where account = p_account);
      end $$`;
  });
  afterAll(() => database.close());

  const writer = () =>
    groupCommit<{ account: string }, { position: number }>({
      lockKey: ({ account }) => account,
      write: (items) => {
        statements += 1;
        return database.sql<{ position: number }[]>`
          select position from json_to_recordset(${rowsAsJson(items)}::text::json)
            as i(account text)
          cross join lateral public.write_one(i.account) position`;
      },
    });

  it('writes a group in one statement, in the order of its locks, answers in the order asked', async () => {
    statements = 0;
    const write = writer();
    const rows = await Promise.all(['b', 'c', 'a'].map((account) => write({ account })));
    expect(rows.map(({ position }) => position)).toEqual([1, 2, 0]);
    expect(statements).toBe(1);
  });

  it('writes the others when one is refused', async () => {
    const write = writer();
    const settled = await Promise.allSettled(
      ['x', 'refused', 'y'].map((account) => write({ account })),
    );
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const written = await database.sql<{ account: string }[]>`
      select account from public.written where account in ('x', 'y', 'refused') order by account`;
    expect(written.map(({ account }) => account)).toEqual(['x', 'y']);
  });

  it('claims several lines together, each under its own fence, and leaves held ones alone', async () => {
    const claim = groupCommit<Claim, { fence: bigint | null; candidate_id: bigint | null }>({
      lockKey: ({ account }) => account,
      write: (claims) => database.sql<{ fence: bigint; candidate_id: bigint }[]>`
        select head.* from json_to_recordset(${rowsAsJson(claims)}::text::json)
          as i(account text, holder text)
        cross join lateral canonry.claim('group', i.account, i.holder, 30) head`,
    });
    await database.sql`select canonry.submit('group', a, null) from unnest(array['g1', 'g2']) a`;
    const asked = ['g2', 'g1', 'absent', 'g1'].map((account, n) =>
      claim({ account, holder: `holder ${n}` }),
    );
    const [second, first, absent, again] = await Promise.all(asked);
    expect(first).toMatchObject({ fence: 1n });
    expect(second).toMatchObject({ fence: 1n });
    expect(second!.candidate_id).not.toBe(first!.candidate_id);
    expect(absent).toMatchObject({ fence: null, candidate_id: null });
    expect(again).toMatchObject({ fence: null, candidate_id: null });
  });
});
