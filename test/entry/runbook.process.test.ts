/** The commands of docs/runbook.md for a running system, as they stand there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/database/connect.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { runNode } from '../support/process.ts';
import { blocksOf, headings, npmRun } from './runbook.ts';

/** The deployment has a test of its own. */
const deployment = new Set(['Two replicas in two minutes', 'Backups']);
const blocks = (language: string) =>
  headings
    .filter((heading) => !deployment.has(heading))
    .flatMap(blocksOf)
    .filter((block) => block.language === language)
    .map(({ text }) => text);

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
    // what is of another kind would be run by nobody
    expect(blocks('bash')).toEqual([]);
  });

  it.each(blocks('sh'))('%s', async (line) => {
    const account = await haltedAccount();
    const { file, args } = npmRun(line);
    expect(file).toBe('src/entry/cli.ts');
    const command = runNode(file, {
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
