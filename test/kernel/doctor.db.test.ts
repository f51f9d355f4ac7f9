/** What the doctor says of settings, queue rows, jobs and the database itself; failed jobs. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/database/connect.ts';
import { migrate } from '../../src/database/migrate.ts';
import { examine, type DoctorSettings } from '../../src/kernel/doctor.ts';
import { failedCandidates, failedJobs } from '../../src/kernel/inspect.ts';
import { operate, retryJob, retryRevived } from '../../src/kernel/operate.ts';
import { doctorLimits, kernelLimits } from '../../src/limits.ts';
import { startCluster } from '../support/cluster.ts';
import { createDatabase, everyDatabase, type TestDatabase } from '../support/databases.ts';

const settings: DoctorSettings = {
  wakeQueues: ['account'],
  poolSizes: [],
  variables: { wakeQueue: 'QUEUE', poolSize: 'POOL', lookDeadline: 'DEADLINE' },
};

const look = async (
  database: Pick<Database, 'sql' | 'kind'>,
  check: string,
  change: Partial<DoctorSettings> = {},
) => {
  const findings = await examine(database, { ...settings, ...change });
  return findings.find((finding) => finding.check === check);
};

describe.each(everyDatabase)('the doctor on $name', ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  it('names workers whose pools are too small', async () => {
    const enough = { process: 'worker-1', size: kernelLimits.workerConnections };
    const small = { process: 'worker-2', size: kernelLimits.workerConnections - 1 };
    expect(await look(database, 'pool size')).toMatchObject({ ok: true });
    expect(await look(database, 'pool size', { poolSizes: [enough] })).toMatchObject({ ok: true });
    expect(await look(database, 'pool size', { poolSizes: [enough, small] })).toMatchObject({
      ok: false,
      detail: expect.stringContaining('7 on worker-2') as string,
      remedy: expect.stringContaining('POOL') as string,
    });
  });

  it('shows jobs that failed for good and nothing else, until they are retried', async () => {
    const add = async (task: string, key: string, attempts: number) => {
      const [job] = await database.sql<{ id: bigint }[]>`
        select id from graphile_worker.add_job(${task}, '{"account":"a"}', job_key := ${key})`;
      await database.sql`update graphile_worker._private_jobs
        set attempts = ${attempts}, last_error = 'boom' where id = ${job!.id}`;
      return job!.id;
    };
    const broken = await add('reconcile', 'reconcile:a', 25);
    await add('reconcile', 'reconcile:trying', 24);
    const running = await add('reconcile', 'reconcile:running', 25);
    await database.sql`update graphile_worker._private_jobs
      set locked_at = now(), locked_by = 'w' where id = ${running}`;
    await add('canonicalize', 'failed:77', 25);
    expect(await failedJobs(database.sql)).toEqual([
      {
        task: 'reconcile',
        account: 'a',
        job_id: broken,
        last_error: 'boom',
        since: expect.any(Date) as Date,
      },
    ]);
    expect(await look(database, 'failed jobs')).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/^1 jobs .*; reconcile of a since 20.*: boom$/) as string,
    });
    expect(
      await retryJob(database.sql, { task: 'reconcile', account: 'a' }, 'me', 'repaired'),
    ).toBe('done');
    expect(await look(database, 'failed jobs')).toMatchObject({ ok: true });
    const [job] = await database.sql`select attempts, run_at <= clock_timestamp() as ready
      from graphile_worker.jobs where key = 'reconcile:a'`;
    expect(job).toEqual({ attempts: 0, ready: true });
  });

  it('K8: what a policy has let go stays visible when its failed job is revived', async () => {
    const [row] = await database.sql<{ id: bigint }[]>`
      select canonry.submit('test', 'let go', null) as id`;
    const id = row!.id;
    await database.sql`select canonry.fail(
        h.line_id, h.fence, h.candidate_id, 'no rule for this', null, 'skip')
      from canonry.claim('test', 'let go', 'w', 30) h`;
    const shown = async () =>
      (await failedCandidates(database.sql)).filter(({ candidate_id }) => candidate_id === id);
    const [before] = await shown();
    // as the engine does when the task has run: the job is locked, then deleted
    await database.sql`update graphile_worker._private_jobs
      set attempts = 1, locked_at = now(), locked_by = 'w' where id = ${before!.job_id!}`;
    await retryRevived(database.sql, id);
    await database.sql`delete from graphile_worker._private_jobs where id = ${before!.job_id!}`;
    const [after] = await shown();
    expect(after).toEqual({ ...before, job_id: expect.any(BigInt) });
    const [marker] = await database.sql`select last_error, attempts >= max_attempts as failed
      from graphile_worker.jobs where id = ${after!.job_id!}`;
    expect(marker).toEqual({ last_error: 'no rule for this', failed: true });
    expect(await operate(database.sql, id, 'skip', 'me', 'seen')).toBe('done');
    expect(await shown()).toEqual([]);
  });
});

describe('the doctor on a database', () => {
  let created: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    created = await createDatabase();
    database = await openDatabase({ databaseUrl: created.url });
  });
  afterAll(async () => {
    await database.close();
    await created.drop();
  });

  it('tells how to have fewer queue rows, and nothing that is done already', async () => {
    expect(await look(database, 'queue rows')).toMatchObject({ ok: true });
    await database.sql`insert into graphile_worker._private_job_queues (queue_name)
      select 'account:' || n from generate_series(1, ${doctorLimits.queueRows}) n`;
    const advice = /set QUEUE=none/;
    expect(await look(database, 'queue rows')).toMatchObject({
      ok: false,
      remedy: expect.stringMatching(advice) as string,
    });
    const mixed = await look(database, 'queue rows', { wakeQueues: ['account', 'none'] });
    expect(mixed?.remedy).toMatch(advice);
    const none = await look(database, 'queue rows', { wakeQueues: ['none'] });
    expect(none).toMatchObject({ ok: false, detail: expect.stringContaining('=none') as string });
    expect(none?.remedy).not.toMatch(advice);
  });

  it('is not asked about the disk of the embedded one', async () => {
    expect(await look({ sql: database.sql, kind: 'embedded' }, 'durability')).toBeUndefined();
  });
});

describe('durability', () => {
  const seen = async (url: string) => {
    const database = await openDatabase({ databaseUrl: url });
    const finding = await look(database, 'durability');
    await database.close();
    return finding;
  };

  it('is wrong where a crash could lose what was acknowledged, with the reason', async () => {
    const cluster = await startCluster({ durable: true });
    const admin = postgres(cluster.url(), { max: 1, onnotice: () => {} });
    const database = await openDatabase({ databaseUrl: cluster.url() });
    await migrate(database);
    await database.close();
    expect(await seen(cluster.url())).toMatchObject({ ok: true });

    await admin`create role elsewhere login`;
    await admin`alter role elsewhere set synchronous_commit = off`;
    expect(await seen(cluster.url())).toMatchObject({ ok: true });
    await admin`grant usage on schema canonry to elsewhere`;
    expect((await seen(cluster.url()))?.detail).toBe(
      'synchronous_commit is off for elsewhere: a crash of the server loses what it acknowledged last',
    );
    await admin`drop owned by elsewhere`;

    for (const [setting, value] of [
      ['synchronous_commit', 'off'],
      ['full_page_writes', 'off'],
      ['fsync', 'off'],
    ] as const) {
      await admin.unsafe(`alter system set ${setting} = ${value}`);
      await admin`select pg_reload_conf()`;
      await expect
        .poll(async () => (await seen(cluster.url()))?.detail)
        .toContain(`${setting} is off: a crash`);
      await admin.unsafe(`alter system reset ${setting}`);
    }
    await admin.end();
    await cluster.remove();
  });
});
