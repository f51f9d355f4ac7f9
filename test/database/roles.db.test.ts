/** What each role must not be able to do; what it must is in roles.process.test.ts. */
import fs from 'node:fs';
import path from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { migrate, separateRoles } from '../../src/database/migrate.ts';
import { startCluster } from '../support/cluster.ts';
import { createDatabase, openEmbeddedCopy, type TestDatabase } from '../support/databases.ts';
import { createLogins, roleNames, type RoleLogins, type RoleName } from '../support/roles.ts';
import { everybody, forbidden } from './forbidden.ts';

const insufficientPrivilege = '42501';

describe.each([18, 15] as const)('roles on Postgres %i', (version) => {
  let created: TestDatabase;
  let logins: RoleLogins;
  const connections = new Map<RoleName, postgres.Sql>();

  beforeAll(async () => {
    created = await createDatabase({ version });
    logins = await createLogins(created.url);
    for (const role of roleNames) {
      connections.set(role, postgres(logins.url[role], { max: 1, onnotice: () => {} }));
    }
  });
  afterAll(async () => {
    for (const sql of connections.values()) await sql.end();
    await created.drop();
    await logins.drop();
  });
  const as = (role: RoleName) => {
    const sql = connections.get(role);
    if (!sql) throw new Error(`no login for ${role}`);
    return sql;
  };

  it.each(everybody)('refuses %s what is not its part', async (role) => {
    const refusals: string[] = [];
    const wanted = forbidden.filter(({ to }) => to.includes(role));
    for (const { what, statement } of wanted) {
      const code = await as(role)
        .unsafe(statement)
        .then(
          () => 'done',
          (error: { code?: string }) => error.code ?? 'unknown',
        );
      if (code === insufficientPrivilege) refusals.push(what);
    }
    expect(refusals).toEqual(wanted.map(({ what }) => what));
    expect(wanted.length).toBeGreaterThan(50);
  });

  it('asks for nothing there that an administrator could not do either', async () => {
    const admin = postgres(created.url, { max: 1, onnotice: () => {} });
    for (const { statement } of forbidden) {
      const code = await admin
        .begin(async (sql) => {
          await sql.unsafe(statement);
          throw new Error('undone');
        })
        .catch((error: { code?: string }) => error.code ?? '');
      // what fails here before rights are looked at would prove nothing: syntax, unknown names
      expect(code.startsWith('42') ? `${code} ${statement}` : '').toBe('');
    }
    await admin.end();
  });

  it('lets readers count', async () => {
    const sql = as('readonly');
    await sql`select count(*) from graphile_worker.jobs`;
    await sql`select status, count(account_id) from guardian.delta group by 1`;
    await sql`select account_id, paused_at from guardian.account`;
    await sql`select * from canonry.candidate join canonry.line using (line_id)`;
    await sql`select * from canonry.audit`;
  });

  it('lets the API sweep, count and announce itself in the background', async () => {
    const sql = as('api');
    await sql`select guardian.sweep_sessions(10), guardian.sweep_evm_proposals(10),
      guardian.count_canonical(10)`;
    await sql`select canonry.announce('api-1', 'api', '{}', 100), canonry.leave('api-1')`;
  });

  it('lets a worker reconcile', async () => {
    const sql = as('worker');
    await sql`select * from guardian.reconcilable('nobody', 1)`;
    await sql`select guardian.reconcile_delta('nobody', '0x'), guardian.reconcile_later('nobody', 1)`;
    await sql`select canonry.sweep(5), canonry.remove_idle_queues(10)`;
  });

  it('lets a worker announce itself, and an operator see what is no secret of it', async () => {
    const announced = JSON.stringify({ WAKE_QUEUE: 'none', other: 'fingerprint' });
    await as(
      'worker',
    )`select canonry.announce('worker-1', 'worker', ${announced}::text::json, 100)`;
    expect(
      await as('operator')`select replica_id, setting, value from canonry.announced(100)`,
    ).toEqual([
      { replica_id: 'worker-1', setting: 'WAKE_QUEUE', value: 'none' },
      { replica_id: 'worker-1', setting: 'other', value: null },
    ]);
    await as('worker')`select canonry.leave('worker-1')`;
  });

  it('lets an operator find and retry a missing job', async () => {
    const sql = as('operator');
    expect(await sql`select guardian.unwatched_accounts()`).toEqual([]);
    expect(
      await sql`select canonry.retry_job('reconcile', 'nobody', 'me', 'r') as outcome`,
    ).toEqual([{ outcome: 'done' }]);
  });

  it('lets an operator see the transactions of others, for doctor', async () => {
    const [row] = await as('operator')<{ sees: boolean }[]>`
      select pg_has_role('pg_read_all_stats', 'usage') as sees`;
    expect(row).toEqual({ sees: true });
  });

  it('runs what writes as the owner, with a pinned path', async () => {
    const rows = await as('readonly')<{ name: string; config: string[] | null; public: boolean }[]>`
      select p.oid::regproc::text as name, p.proconfig as config,
             has_function_privilege('public', p.oid, 'execute') as public
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('canonry', 'guardian', 'graphile_worker')
        and (p.prosecdef or has_function_privilege('public', p.oid, 'execute'))`;
    expect(rows.length).toBeGreaterThan(35);
    for (const { name, config, public: open } of rows) {
      expect({ name, config, open }).toEqual({
        name,
        config: expect.arrayContaining(['search_path=pg_catalog, pg_temp']),
        open: false,
      });
    }
  });

  it('calls no function from the code that no role may call', async () => {
    const called = new Set(
      ['src/guardian', 'src/kernel', 'src/coordination']
        .flatMap(sources)
        .flatMap((file) =>
          [...fs.readFileSync(file, 'utf8').matchAll(/\b((?:guardian|canonry)\.[a-z_]+)\(/g)].map(
            ([, name = '']) => name,
          ),
        ),
    );
    const rows = await as('readonly')<{ name: string }[]>`
      select name from unnest(${[...called]}::text[]) name
      where not exists (
        select 1 from unnest(array['api', 'worker', 'operator']) role
        where has_function_privilege('canonry_' || role, to_regproc(name), 'execute')
      )`;
    expect(called.size).toBeGreaterThan(40);
    expect(rows.map(({ name }) => name)).toEqual([]);
  });

  it('keeps rights through later migrations, whoever runs them', async () => {
    for (const databaseUrl of [logins.url.migrator, created.url]) {
      const admin = postgres(created.url, { max: 1, onnotice: () => {} });
      await admin`delete from canonry.migrations where name like 'functions/%'`;
      await admin.unsafe('grant select on guardian.auth_session to canonry_readonly');
      await admin.end();
      const database = await openDatabase({ databaseUrl });
      expect((await migrate(database)).length).toBeGreaterThan(10);
      await database.close();
      await expect(as('readonly')`select * from guardian.auth_session`).rejects.toThrow(/denied/);
      const [row] = await as('api')<{ owner: string; outcome: string }[]>`
        select pg_get_userbyid(proowner) as owner, guardian.admit('x', 1, 's', 1) as outcome
        from pg_proc where oid = to_regproc('guardian.listed_accounts')`;
      // listed_accounts is dropped and created again by its file
      expect(row).toEqual({ owner: 'canonry_migrator', outcome: 'account_not_found' });
    }
  });

  it('is introduced twice, and on two databases at once, without harm', async () => {
    const others = await Promise.all([createDatabase({ version }), createDatabase({ version })]);
    await Promise.all(
      [created, ...others, ...others].map(async ({ url }) => {
        const database = await openDatabase({ databaseUrl: url });
        await separateRoles(database);
        await database.close();
      }),
    );
    for (const other of others) await other.drop();
  });

  it('tells a login that does not belong to the owner', async () => {
    const database = await openDatabase({ databaseUrl: logins.url.api });
    await expect(migrate(database)).rejects.toThrow(
      /belongs to canonry_migrator, and api_\w+ does/,
    );
    await database.close();
  });

  it('is brought to an empty database by an administrator without superuser', async () => {
    const cluster = await startCluster({ version });
    const root = postgres(cluster.url(), { max: 1, onnotice: () => {} });
    await root`create role chief login createrole`;
    await root`create database hosted owner chief`;
    await root.end();
    const databaseUrl = cluster.url('hosted').replace('//postgres@', '//chief@');
    const database = await openDatabase({ databaseUrl });
    expect(await separateRoles(database)).toContain('0001_kernel.sql');
    expect(await migrate(database)).toEqual([]);
    expect(
      await database.sql`select nspname, pg_get_userbyid(nspowner) as owner from pg_namespace
        where nspname in ('canonry', 'graphile_worker', 'guardian') order by 1`,
    ).toEqual(
      ['canonry', 'graphile_worker', 'guardian'].map((nspname) => ({
        nspname,
        owner: 'canonry_migrator',
      })),
    );
    await database.close();
    await cluster.remove();
  });
});

describe('a database without roles', () => {
  it('stays its owner’s, although the cluster has them', async () => {
    const created = await createDatabase();
    const admin = await openDatabase({ databaseUrl: created.url });
    expect(await migrate(admin)).toEqual([]);
    const rows = await admin.sql`select distinct pg_get_userbyid(p.proowner) as owner, p.prosecdef
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('canonry', 'guardian')`;
    expect(rows).toEqual([{ owner: 'postgres', prosecdef: false }]);
    await admin.close();
    await created.drop();
  });

  it('is the embedded one, which has none', async () => {
    const embedded = await openEmbeddedCopy();
    await expect(separateRoles(embedded)).rejects.toThrow(/belongs to one process/);
    await embedded.close();
  });
});

function sources(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(folder, name));
}
