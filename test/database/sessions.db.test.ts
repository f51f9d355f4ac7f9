/** What openDatabase sets on its sessions, and what a broken server does to them. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { startCluster } from '../support/cluster.ts';
import { createDatabase } from '../support/databases.ts';

async function create(): Promise<string> {
  const { url, drop } = await createDatabase({ migrated: false });
  onTestFinished(drop);
  return url;
}

describe('statements', () => {
  it('end after the statement timeout, in both drivers, but not in migrations', async () => {
    const database = await openDatabase({ databaseUrl: await create(), statementTimeoutMs: 50 });
    onTestFinished(() => database.close());
    const slow = 'select pg_sleep(0.2)';
    await expect(database.sql.unsafe(slow)).rejects.toMatchObject({ code: '57014' });
    await expect(database.workerPool().query(slow)).rejects.toMatchObject({ code: '57014' });
    await expect(database.migrationPool().query(slow)).resolves.toMatchObject({ rowCount: 1 });
  });

  it('are not remembered by the server, so that a pooler may stand in between', async () => {
    const database = await openDatabase({ databaseUrl: await create(), maxConnections: 1 });
    onTestFinished(() => database.close());
    await database.sql`select ${1}::int`;
    expect(await database.sql`select name from pg_prepared_statements`).toEqual([]);
  });

  it('through a pooler carry no setting of the session, on the direct URL they do', async () => {
    const url = await create();
    const database = await openDatabase({
      databaseUrl: url.replace('127.0.0.1', 'localhost'),
      directDatabaseUrl: url,
      applicationName: 'canonry-test',
      statementTimeoutMs: 1234,
    });
    onTestFinished(() => database.close());
    const show = `select current_setting('statement_timeout') as timeout,
      current_setting('application_name') as name, current_setting('enable_seqscan') as scans`;
    const [pooled] = await database.sql.unsafe(show);
    expect(pooled).toEqual({ timeout: '0', name: 'canonry-test', scans: 'on' });
    const { rows } = await database.workerPool().query(show);
    expect(rows).toEqual([{ timeout: '1234ms', name: 'canonry-test', scans: 'off' }]);
    const direct = await openDatabase({ databaseUrl: url, statementTimeoutMs: 1234 });
    onTestFinished(() => direct.close());
    const [own] = await direct.sql.unsafe(show);
    expect(own).toEqual({ timeout: '1234ms', name: 'canonry', scans: 'off' });
  });
});

describe('a server that is killed', () => {
  it('keeps what was committed, and both pools find it again', async () => {
    const cluster = await startCluster({ durable: true });
    onTestFinished(() => cluster.remove());
    const broken: unknown[] = [];
    const database = await openDatabase({
      databaseUrl: cluster.url(),
      onConnectionError: (error) => broken.push(error),
    });
    onTestFinished(() => database.close());
    await database.sql`create table kept as select 1 as n`;
    await database.workerPool().query('insert into kept values (2)');
    await cluster.kill();
    await expect(database.sql`select 1`).rejects.toThrow();
    await cluster.start();
    await expect
      .poll(() => database.sql`select n from kept order by n`.catch(() => []), { timeout: 5_000 })
      .toEqual([{ n: 1 }, { n: 2 }]);
    const { rows } = await database.workerPool().query('select count(*)::int as n from kept');
    expect(rows).toEqual([{ n: 2 }]);
    expect(broken.length).toBeGreaterThan(0); // told, not thrown
  });
});
