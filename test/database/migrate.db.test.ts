import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/database/connect.ts';
import { assertMigrated, migrate, pendingMigrations } from '../../src/database/migrate.ts';
import { engineRecord } from '../../src/database/migration-plan.ts';
import { createDatabase, openEmbeddedCopy } from '../support/databases.ts';

let directory: string;
let database: Database;
let close: () => Promise<void>;

function write(name: string, sql: string): void {
  fs.writeFileSync(path.join(directory, name), sql);
}

describe.each([
  { name: 'Postgres 18', open: () => openEmpty(18) },
  { name: 'Postgres 15', open: () => openEmpty(15) },
  { name: 'the embedded database', open: () => openEmptied() },
])('migrate on $name', ({ open }) => {
  beforeEach(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-migrations-'));
    fs.mkdirSync(path.join(directory, 'functions'));
    write('0001_things.sql', 'create table canonry.thing (name text); select 1;');
    write('functions/answer.sql', answer(41));
    ({ database, close } = await open());
  });
  afterEach(async () => {
    await close();
    fs.rmSync(directory, { recursive: true });
  });

  const answer = (value: number) =>
    `create or replace function canonry.answer() returns int language sql as 'select ${value}';`;

  it('applies everything once, and says so', async () => {
    const everything = [engineRecord(), '0001_things.sql', 'functions/answer.sql'];
    expect(await pendingMigrations(database.sql, directory)).toEqual(everything);
    expect(await migrate(database, { directory })).toEqual(everything);
    expect(await migrate(database, { directory })).toEqual([]);
    expect(await pendingMigrations(database.sql, directory)).toEqual([]);
    // the constant is what the installed engine brings
    const [engine] = await database.sql<{ id: number }[]>`
      select max(id)::int as id from graphile_worker.migrations`;
    expect(engineRecord(engine?.id)).toBe(engineRecord());
  });

  it('refuses to start on a database that lacks something, and names it', async () => {
    await expect(assertMigrated(database.sql, directory)).rejects.toThrow(
      /lacks 3 migration\(s\): graphile-worker \d+, 0001_things.sql, .*npm run migrate/,
    );
    await migrate(database, { directory });
    await expect(assertMigrated(database.sql, directory)).resolves.toBeUndefined();
  });

  it('creates a changed function again and leaves the rest alone', async () => {
    await migrate(database, { directory });
    write('functions/answer.sql', answer(42));
    expect(await migrate(database, { directory })).toEqual(['functions/answer.sql']);
    expect(await database.sql`select canonry.answer() as value`).toEqual([{ value: 42 }]);
  });

  it('serves the version before and the version after while one replaces the other', async () => {
    const pending = (value: number) => {
      write('functions/answer.sql', answer(value));
      return pendingMigrations(database.sql, directory);
    };
    await migrate(database, { directory });
    expect(await pending(42)).toEqual(['functions/answer.sql']);
    await migrate(database, { directory });
    expect([await pending(41), await pending(42)]).toEqual([[], []]);
    // never applied here
    expect(await pending(40)).toEqual(['functions/answer.sql']);
    // a rollback brings the text of its version back
    expect(await pending(41)).toEqual([]);
    expect(await migrate(database, { directory })).toEqual(['functions/answer.sql']);
    expect(await database.sql`select canonry.answer() as value`).toEqual([{ value: 41 }]);
    expect([await pending(41), await pending(42)]).toEqual([[], []]);
  });

  it('undoes a file that fails in the middle, and keeps those before it', async () => {
    write('0002_broken.sql', 'create table canonry.half (name text); select 1 / 0;');
    await expect(migrate(database, { directory })).rejects.toThrow(
      'migrations/0002_broken.sql failed and was undone: division by zero',
    );
    expect(await database.sql`select to_regclass('canonry.half') as half`).toEqual([
      { half: null },
    ]);
    expect(await pendingMigrations(database.sql, directory)).toEqual([
      '0002_broken.sql',
      'functions/answer.sql',
    ]);
  });
});

describe('two starters', () => {
  it('advisory lock with a deadline: the second one gives up', async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-migrations-'));
    write('0001_slow.sql', 'select pg_sleep(1.5)');
    ({ database, close } = await openEmpty(18));
    const first = migrate(database, { directory });
    await expect
      .poll(() => database.sql`select 1 from pg_stat_activity where query = 'select pg_sleep(1.5)'`)
      .toHaveLength(1);
    await expect(migrate(database, { directory, lockTimeoutMs: 200 })).rejects.toThrow(
      'Another process is migrating this database',
    );
    expect(await first).toContain('0001_slow.sql');
    await close();
    fs.rmSync(directory, { recursive: true });
  });
});

async function openEmpty(version: 15 | 18) {
  const created = await createDatabase({ migrated: false, version });
  const opened = await openDatabase({ databaseUrl: created.url });
  return {
    database: opened,
    close: async () => {
      await opened.close();
      await created.drop();
    },
  };
}

/** Faster than a new one: a copy of the migrated template with its schemas dropped. */
async function openEmptied() {
  const opened = await openEmbeddedCopy();
  const schemas = await opened.sql<{ name: string }[]>`
    select nspname as name from pg_namespace
    where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')`;
  for (const { name } of schemas) await opened.sql`drop schema ${opened.sql(name)} cascade`;
  return { database: opened, close: () => opened.close() };
}
