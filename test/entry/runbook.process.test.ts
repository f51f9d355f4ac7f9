/** The commands of docs/runbook.md, as they stand there. */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/database/connect.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { runNode } from '../support/process.ts';

const runbook = fs.readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...runbook.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text.trim(),
  );

/** Words of a shell line; quotes hold words together. */
const words = (line: string) =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

describe('runbook', () => {
  let created: TestDatabase;
  let database: Database;
  let accounts = 0;

  beforeAll(async () => {
    created = await createDatabase();
    database = await openDatabase({ databaseUrl: created.url });
  });
  afterAll(async () => {
    await database.close();
    await created.drop();
  });

  const haltedAccount = async () => {
    const account = `account-${(accounts += 1)}`;
    await database.sql`select canonry.submit('canonicalize', ${account}, null)`;
    await database.sql`select canonry.fail(h.line_id, h.fence, h.candidate_id, 'boom', null, 'halt')
      from canonry.claim('canonicalize', ${account}, 'test', 0) h`;
    return account;
  };

  it('has commands and queries', () => {
    expect(blocks('sh').length).toBeGreaterThanOrEqual(6);
    expect(blocks('sql').length).toBeGreaterThanOrEqual(2);
  });

  it.each(blocks('sh'))('%s', async (line) => {
    const account = await haltedAccount();
    const [npm, run, name, dashes, ...args] = words(line);
    expect([npm, run, name, dashes]).toEqual(['npm', 'run', 'canonry', '--']);
    const command = runNode('src/entry/cli.ts', {
      args: args.map((word) => (word === 'ACCOUNT' ? account : word)),
      env: { DATABASE_URL: created.url },
    });
    // 1 says that something is wrong, which is so here; 2 would mean "not understood"
    const finds = ['doctor', 'failed'].includes(args[0] ?? '');
    expect(await command.exit, command.output()).toBe(finds ? 1 : 0);
    expect(command.output()).not.toBe('');
  });

  it.each(blocks('sql'))('%s', async (query) => {
    await haltedAccount();
    expect((await database.sql.unsafe(query)).length).toBeGreaterThan(0);
  });
});
