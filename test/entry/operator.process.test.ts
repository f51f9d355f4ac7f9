/** What an operator types: our CLI, and the stock graphile-worker CLI on the same jobs. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase, type Database } from '../../src/database/connect.ts';
import { startDevChain, type DevChain } from '../../src/dev-chain/start.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { runNode, startNode } from '../support/process.ts';
import { openWallet } from '../support/wallet.ts';

const cli = 'src/entry/cli.ts';

describe('canonry and graphile-worker on the command line', () => {
  let created: TestDatabase;
  let database: Database;
  let chain: DevChain;
  let env: Record<string, string>;

  beforeAll(async () => {
    created = await createDatabase();
    database = await openDatabase({ databaseUrl: created.url });
    chain = await startDevChain({ host: '127.0.0.1', port: 0 });
    env = {
      DATABASE_URL: created.url,
      GUARDIAN_NETWORK_TYPE: 'local',
      GUARDIAN_MIDEN_RPC_ENDPOINT: chain.url,
      PORT: '0',
      LOG_LEVEL: 'warn',
    };
  });
  afterAll(async () => {
    await database.close();
    await chain.close();
    await created.drop();
  });

  const canonry = async (...args: string[]) => {
    const running = runNode(cli, { args, env });
    const code = await running.exit;
    return { code, output: running.output() };
  };

  it('explains what is wrong with a command, exit code 2', async () => {
    expect(await canonry()).toMatchObject({ code: 2, output: expect.stringContaining('doctor') });
    expect(await canonry('frobnicate')).toMatchObject({ code: 2 });
    expect(await canonry('explain')).toMatchObject({ code: 2 });
    expect(await canonry('retry', 'nobody')).toMatchObject({ code: 2 });
    expect(await canonry('doctor', '--colour')).toMatchObject({ code: 2 });
  });

  it('shows a halted candidate in both worlds, and retries it from either', async () => {
    await database.sql`select canonry.submit('canonicalize', 'someone', null)`;
    const halt = async () => {
      await database.sql`select canonry.fail(h.line_id, h.fence, h.candidate_id, 'boom', null, 'halt')
        from canonry.claim('canonicalize', 'someone', 'test', 0) h`;
    };
    await halt();
    const failed = await canonry('failed', '--json');
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.output)).toMatchObject({
      failed: [{ account: 'someone', state: 'halted', last_error: 'boom' }],
    });
    const explained = await canonry('explain', 'someone', '--json');
    expect(JSON.parse(explained.output)).toMatchObject({
      lines: [{ state: 'halted', why: 'failed', unresolved: 1 }],
      audit: [{ actor: 'policy', action: 'halt' }],
    });
    const doctor = await canonry('doctor', '--json');
    expect(doctor.code).toBe(1);
    expect(await canonry('retry', 'someone', '--reason', 'fixed')).toMatchObject({ code: 0 });
    expect(await canonry('failed')).toMatchObject({ code: 0 });

    await halt();
    const revived = await database.sql`select id from graphile_worker.reschedule_jobs(
      array(select id from graphile_worker.jobs where key like 'failed:%'),
      run_at := now(), attempts := 0)`;
    expect(revived).toHaveLength(1);
    const worker = startNode('src/entry/worker.ts', { env });
    onTestFinished(() => void worker.child.kill('SIGKILL'));
    await expect
      .poll(async () => (await canonry('failed')).code, { timeout: 20_000, interval: 200 })
      .toBe(0);
    const [audit] = await database.sql`select actor, action from canonry.audit
      order by audit_id desc limit 1`;
    expect(audit).toEqual({ actor: 'graphile-worker', action: 'retry' });
    worker.child.kill('SIGTERM');
    expect(await worker.exit).toBe(0);
    const [head] = await database.sql<{ id: bigint }[]>`
      select min(candidate_id) as id from canonry.candidate where resolved_at is null`;
    const discard = ['discard', '--reason', 'test', '--candidate', String(head?.id)];
    expect(await canonry(...discard, 'somebody else')).toMatchObject({ code: 1 });
    expect(await canonry('discard', 'someone', '--reason', 'x', '--candidate', 'x')).toMatchObject({
      code: 2,
    });
    expect(await canonry(...discard, 'someone')).toMatchObject({ code: 0 });
  });

  it('the stock CLI runs our tasks on the same jobs', async () => {
    const api = startNode('src/entry/api.ts', { env });
    onTestFinished(() => void api.child.kill('SIGKILL'));
    const [, url = ''] = await api.says(/ready at (\S+)/);
    const wallet = await openWallet(url, 'ecdsa');
    await wallet.configure();
    const pushed = await wallet.push(1);
    await chain.land(wallet.accountId, pushed.newCommitment ?? '');
    const running = runNode('node_modules/graphile-worker/dist/cli.js', { args: ['--once'], env });
    expect(`${await running.exit} ${running.output()}`).toMatch(/^0 /);
    const delta = await wallet.client.getDelta(wallet.accountId, 1);
    expect(delta.status.status).toBe('canonical');
  });
});
