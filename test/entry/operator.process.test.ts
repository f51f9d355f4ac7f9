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
    const wrong: [args: string[], said: RegExp][] = [
      [[], /doctor/],
      [['frobnicate'], /no command frobnicate/],
      [['toString'], /no command toString/],
      [['keys'], /needs a folder/],
      [['explain'], /needs an account/],
      [['explain', 'one', 'two'], /two/],
      [['retry', 'nobody'], /--reason/],
      [['retry', 'nobody', '--reason', '  '], /--reason/],
      [['doctor', '--colour'], /--colour/],
      [['failed', '--task', 'canonicalize'], /--task/],
    ];
    for (const [args, said] of wrong) {
      const answer = await canonry(...args);
      expect(answer, answer.output).toMatchObject({
        code: 2,
        output: expect.stringMatching(said) as string,
      });
      const asJson = await canonry(...args, '--json');
      expect(asJson.code).toBe(2);
      expect(JSON.parse(asJson.output)).toEqual({ error: expect.stringMatching(/./) as string });
    }
  });

  it('says as JSON what keeps it from working', async () => {
    const empty = await createDatabase({ migrated: false });
    const faults: [change: Record<string, string>, said: RegExp][] = [
      [{ WAKE_QUEUE: 'sometimes' }, /WAKE_QUEUE/],
      [{ DATABASE_URL: empty.url }, /migrat/],
    ];
    for (const [change, said] of faults) {
      const running = runNode(cli, { args: ['doctor', '--json'], env: { ...env, ...change } });
      expect(await running.exit).toBe(1);
      expect(JSON.parse(running.output())).toEqual({
        error: expect.stringMatching(said) as string,
      });
    }
    await empty.drop();
  });

  it('shows a job that has failed for good, and one that is missing, and retries both', async () => {
    const look = async () => {
      const [failed, explained, doctor] = [
        await canonry('failed', '--json'),
        await canonry('explain', 'unlucky', '--task', 'reconcile', '--json'),
        await canonry('doctor', '--json'),
      ].map(({ output }) => JSON.parse(output));
      const wrong = doctor.findings.filter((finding: { ok: boolean }) => !finding.ok);
      return {
        failed: failed.jobs,
        explained: explained.jobs,
        doctor: wrong.map((finding: { check: string }) => finding.check),
      };
    };
    await database.sql`alter function guardian.reconcilable rename to out_of_order`;
    await database.sql`select graphile_worker.add_job('reconcile', '{"account":"unlucky"}',
      job_key := 'reconcile:unlucky', max_attempts := 1)`;
    const worker = startNode('src/entry/worker.ts', { env });
    onTestFinished(() => void worker.child.kill('SIGKILL'));
    await expect
      .poll(async () => (await canonry('failed')).code, { timeout: 20_000, interval: 200 })
      .toBe(1);
    const failed = {
      task: 'reconcile',
      account: 'unlucky',
      job_id: expect.any(Number) as number,
      last_error: expect.stringContaining('guardian.reconcilable') as string,
      since: expect.stringMatching(/^20/) as string,
    };
    const seen = await look();
    expect(seen).toMatchObject({ failed: [failed], explained: [failed] });
    expect(seen.doctor).toContain('failed jobs');
    expect(await canonry('skip', 'unlucky', '--reason', 'x')).toMatchObject({
      code: 1,
      output: expect.stringContaining('can be retried') as string,
    });

    await database.sql`alter function guardian.out_of_order rename to reconcilable`;
    expect(await canonry('retry', 'unlucky', '--reason', 'repaired')).toMatchObject({
      code: 0,
      output: expect.stringContaining('reconcile: done') as string,
    });
    // it runs and finds nothing to wait for
    await expect
      .poll(() => database.sql`select 1 from graphile_worker.jobs where key like 'reconcile:%'`)
      .toEqual([]);
    expect(await canonry('failed')).toMatchObject({ code: 0 });
    expect(await canonry('explain', 'unlucky')).toMatchObject({
      output: expect.stringMatching(/retry {2}job of reconcile {2}repaired/) as string,
    });
    worker.child.kill('SIGTERM');
    expect(await worker.exit).toBe(0);

    await database.sql`insert into guardian.account
      (account_id, auth_scheme, signer_commitments, commitment, state)
      values ('unlucky', 'ecdsa', array['s'], 'c0', '\\x01')`;
    await database.sql`with line as (
        insert into canonry.line (task, account) values ('canonicalize', 'unlucky')
        returning line_id
      ), candidate as (
        insert into canonry.candidate (line_id, state, why, resolved_at)
        select line_id, 'parked', 'diverged', now() from line returning candidate_id
      )
      insert into guardian.delta (account_id, nonce, candidate_id, status, prev_commitment,
        new_commitment, summary_commitment, payload, ack_scheme, ack_pubkey, ack_signature,
        result_state, result_signers, result_bound_here)
      select 'unlucky', 1, candidate_id, 'retained', 'c1', 'c2', 'm', '{"data":"x"}', 'ecdsa',
        'k', 'a', '\\x02', array['s'], true from candidate`;
    const missing = { task: 'reconcile', account: 'unlucky', job_id: null };
    const lost = await look();
    expect(lost).toMatchObject({ failed: [missing], explained: [missing] });
    expect(lost.doctor).toContain('given up deltas');
    expect(await canonry('retry', 'unlucky', '--reason', 'lost', '--json')).toMatchObject({
      code: 0,
    });
    expect(await canonry('failed')).toMatchObject({ code: 0 });
    await database.sql`delete from guardian.delta where account_id = 'unlucky'`;
  });

  it('names the processes that are configured differently, workers too, while they live', async () => {
    const replicas = async () => {
      const { findings } = JSON.parse((await canonry('doctor', '--json')).output);
      return findings.find(({ check }: { check: string }) => check === 'replica settings').detail;
    };
    const start = (file: string, change: Record<string, string>) => {
      const running = startNode(file, { env: { ...env, ...change, LOG_LEVEL: 'info' } });
      onTestFinished(() => void running.child.kill('SIGKILL'));
      return running;
    };
    const api = start('src/entry/api.ts', { WAKE_QUEUE: 'account' });
    await api.says(/ready/);
    const worker = start('src/entry/worker.ts', {
      WAKE_QUEUE: 'none',
      GUARDIAN_MIDEN_RPC_ENDPOINT: 'http://127.0.0.1:1/secret',
      GUARDIAN_DB_POOL_MAX_SIZE: '4',
    });
    const [, id = ''] = await worker.says(/"replica":"(worker-\w+)".*"msg":"joined the fleet/);
    await expect.poll(replicas).toMatch(/^not the same on all/);
    const detail = await replicas();
    expect(detail).toMatch(new RegExp(`WAKE_QUEUE \\(account on api-\\w+ and none on ${id}\\)`));
    expect(detail).toMatch(/GUARDIAN_MIDEN_RPC_ENDPOINT \(value 1 on /);
    // what only workers announce is no difference
    expect(detail).not.toMatch(/POOL|secret/);
    const doctor = await canonry('doctor');
    expect(doctor.output).toContain(`WRONG pool size: a busy worker writes over 8`);
    expect(doctor.output).toContain(`4 on ${id}`);
    worker.child.kill('SIGTERM');
    expect(await worker.exit).toBe(0);
    expect(await replicas()).toBe('the same on all living processes');
    api.child.kill('SIGTERM');
    expect(await api.exit).toBe(0);
  });

  it('a worker that cannot announce itself works all the same', async () => {
    await database.sql`alter function canonry.announce rename to unannounced`;
    const worker = startNode('src/entry/worker.ts', { env });
    onTestFinished(() => void worker.child.kill('SIGKILL'));
    await worker.says(/could not announce itself/);
    await worker.says(/worker ready/);
    await database.sql`select graphile_worker.add_job('reconcile', '{"account":"x"}', job_key := 'x')`;
    await expect
      .poll(() => database.sql`select 1 from graphile_worker.jobs where key = 'x'`, {
        timeout: 10_000,
      })
      .toEqual([]);
    await database.sql`alter function canonry.unannounced rename to announce`;
    worker.child.kill('SIGTERM');
    expect(await worker.exit).toBe(0);
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
