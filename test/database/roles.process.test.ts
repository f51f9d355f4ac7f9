/**
 * Each role can do its part: the real processes, each with a login of its role. That three replicas
 * of the API and a worker serve the published clients so is in the suites of test/clients.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { startFleet, type Fleet } from '../cluster/fleet.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { runNode } from '../support/process.ts';
import { createLogins, type RoleLogins } from '../support/roles.ts';
import { openWallet } from '../support/wallet.ts';

describe.each([18, 15] as const)('processes with roles on Postgres %i', (version) => {
  let created: TestDatabase;
  let logins: RoleLogins;
  let fleet: Fleet;

  beforeAll(async () => {
    created = await createDatabase({ version });
    logins = await createLogins(created.url);
    fleet = await startFleet({
      api: 1,
      workers: 1,
      databaseUrl: logins.url.api,
      env: { DIRECT_DATABASE_URL: logins.url.worker },
    });
  });
  afterAll(async () => {
    await fleet.stop();
    await created.drop();
    await logins.drop();
  });

  const run = async (file: string, databaseUrl: string, ...args: string[]) => {
    const running = runNode(file, { args, env: { DATABASE_URL: databaseUrl } });
    const code = await running.exit;
    return { code, output: running.output() };
  };
  const canonry = (...args: string[]) => run('src/entry/cli.ts', logins.url.operator, ...args);

  it('makes a delta canonical, API and worker each with its rights', async () => {
    const wallet = await openWallet(fleet.url, 'ecdsa');
    await wallet.configure();
    const { newCommitment } = await wallet.push(1);
    await fleet.chain.land(wallet.accountId, newCommitment ?? '');
    expect(await wallet.settled(1)).toBe('canonical');
    await wallet.refresh();
    expect(wallet.commitment).toBe(newCommitment);
  });

  it('lets a worker give up, retire and come back', async () => {
    const [worker] = fleet.workers();
    expect(await fleet.end(worker?.name ?? '', 'drain')).toBe(0);
    await fleet.addWorker();
    const [next] = fleet.workers();
    expect(await fleet.end(next?.name ?? '', 'kill')).toBe('SIGKILL');
    await fleet.addWorker();
    const wallet = await openWallet(fleet.url, 'falcon');
    await wallet.configure();
    const { newCommitment } = await wallet.push(1);
    await fleet.chain.land(wallet.accountId, newCommitment ?? '');
    expect(await wallet.settled(1)).toBe('canonical');
  });

  it('lets an operator look and act, and puts it on record', async () => {
    const wallet = await openWallet(fleet.url, 'ecdsa');
    await wallet.configure();
    await wallet.push(1);
    const account = wallet.accountId;
    expect(await canonry('failed')).toMatchObject({ code: 0 });
    expect(await canonry('explain', account)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/1 unresolved/) as string,
    });
    const doctor = await canonry('doctor');
    expect(doctor.output).toMatch(/^ok {4}workers: 1 alive, 1 candidates waiting$/m);
    for (const action of ['retry', 'skip']) {
      expect(await canonry(action, account, '--reason', `to ${action}`)).toMatchObject({ code: 0 });
    }
    expect(await wallet.settled(1)).toBe('retained');
    await wallet.push(2);
    expect(await canonry('discard', account, '--reason', 'to discard')).toMatchObject({ code: 0 });
    expect(await wallet.settled(2)).toBe('discarded');
    const explained = await canonry('explain', account, '--task', 'canonicalize', '--json');
    expect(JSON.parse(explained.output)).toMatchObject({
      audit: [{ action: 'discard' }, { action: 'skip' }, { action: 'retry', reason: 'to retry' }],
    });
  });

  it('lets a worker retry what was revived with the engine’s own tools', async () => {
    const admin = await openDatabase({ databaseUrl: created.url });
    await admin.sql`select canonry.submit('canonicalize', 'revived', null)`;
    await admin.sql`select canonry.fail(h.line_id, h.fence, h.candidate_id, 'boom', null, 'halt')
      from canonry.claim('canonicalize', 'revived', 'test', 0) h`;
    await admin.sql`select id from graphile_worker.reschedule_jobs(
      array(select id from graphile_worker.jobs where key like 'failed:%'),
      run_at := now(), attempts := 0)`;
    const retried = async () =>
      (await admin.sql`select 1 from canonry.audit where actor = 'graphile-worker'`).length;
    await expect.poll(retried, { timeout: 10_000 }).toBe(1);
    await admin.close();
  });

  it('lets the migrator migrate', async () => {
    const migrated = await run('src/entry/migrate.ts', logins.url.migrator);
    expect(migrated).toMatchObject({ code: 0, output: expect.stringContaining('up to date') });
    const refused = await run('src/entry/migrate.ts', logins.url.worker);
    expect(refused.code).toBe(1);
    expect(refused.output).toMatch(/belongs to canonry_migrator/);
    expect(refused.output).not.toMatch(/\n\s+at /);
    const again = await run('src/entry/migrate.ts', created.url, '--roles');
    expect(again).toMatchObject({ code: 0, output: expect.stringContaining('_readonly') });
  });
});
