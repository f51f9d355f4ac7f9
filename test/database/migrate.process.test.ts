import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { assertMigrated } from '../../src/database/migrate.ts';
import { createDatabase } from '../support/databases.ts';
import { runNode } from '../support/process.ts';

describe('npm run migrate', () => {
  it('applies each file once when three machines start at the same time', async () => {
    const created = await createDatabase({ migrated: false });
    const starters = [1, 2, 3].map(() =>
      runNode('src/entry/migrate.ts', { env: { DATABASE_URL: created.url } }),
    );
    const codes = await Promise.all(starters.map(({ exit }) => exit));
    const said = starters.map(({ output }) => output()).join('');
    expect(codes, said).toEqual([0, 0, 0]);
    const applied = [...said.matchAll(/^applied (.*)$/gm)].map(([, name]) => name);
    expect(applied).toContain('0001_kernel.sql');
    expect(applied.toSorted()).toEqual([...new Set(applied)].toSorted());

    const database = await openDatabase({ databaseUrl: created.url });
    await assertMigrated(database.sql);
    await database.close();
    await created.drop();
  });

  it('says where it failed without the password, and exits with 1', async () => {
    const starter = runNode('src/entry/migrate.ts', {
      env: { DATABASE_URL: 'postgres://somebody:verysecret@127.0.0.1:1/none' },
    });
    expect(await starter.exit).toBe(1);
    expect(starter.output()).toContain('127.0.0.1:1');
    expect(starter.output()).not.toContain('verysecret');
  });
});
