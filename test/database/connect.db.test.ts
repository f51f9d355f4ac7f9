import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/connect.ts';
import { everyDatabase } from '../support/databases.ts';

describe.each(everyDatabase)('openDatabase on $name', ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  it('reads and writes int8 as bigint, without rounding', async () => {
    const [row] = await database.sql`select ${9_007_199_254_740_993n}::int8 as big, count(*) as n`;
    expect(row).toEqual({ big: 9_007_199_254_740_993n, n: 1n });
  });
});
