/** Jobs that the engine fetched for a worker in a statement whose answer was lost. */
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { HeldLines } from '../../src/kernel/held-lines.ts';
import { createLiveness } from '../../src/kernel/liveness.ts';
import { createLog } from '../../src/observability/log.ts';
import { createDatabase } from '../support/databases.ts';

it('are given back by the worker they are locked for, and no others', async () => {
  const created = await createDatabase();
  onTestFinished(() => created.drop());
  const database = await openDatabase({ databaseUrl: created.url });
  onTestFinished(() => database.close());
  const { sql } = database;
  const liveness = createLiveness(sql, createLog('silent'), new HeldLines());
  await liveness.register('pool');
  onTestFinished(() => liveness.retire());
  // `known` was answered; `young` may be on its way; `other` is somebody else's
  for (const name of ['known', 'lost', 'young', 'other']) {
    await sql`select graphile_worker.add_job('test', queue_name := ${`queue ${name}`}, job_key := ${name})`;
  }
  await sql`update graphile_worker._private_jobs set attempts = 1,
    locked_by = case key when 'other' then 'another pool' else 'pool' end,
    locked_at = clock_timestamp() + case key
      when 'known' then interval '-3.1 seconds' when 'young' then interval '1 minute'
      else interval '-3 seconds' end`;
  await sql`update graphile_worker._private_job_queues q
    set locked_by = j.locked_by, locked_at = j.locked_at
    from graphile_worker._private_jobs j where j.job_queue_id = q.id`;
  await sql`insert into canonry.worker (worker_id, beat_at)
    values ('another pool', now() + interval '1 hour')`;
  const known = await sql<{ locked_at: Date }[]>`
    select locked_at from graphile_worker.jobs where key = 'known'`;
  liveness.fetched.add(known);
  const jobs = async () =>
    sql<{ key: string; locked_by: string | null; attempts: number; queue: string | null }[]>`
      select j.key, j.locked_by, j.attempts, q.locked_by as queue
      from graphile_worker._private_jobs j
      join graphile_worker._private_job_queues q on q.id = j.job_queue_id order by j.key`;
  await expect.poll(jobs, { timeout: 15_000 }).toEqual([
    { key: 'known', locked_by: 'pool', attempts: 1, queue: 'pool' },
    { key: 'lost', locked_by: null, attempts: 0, queue: null },
    { key: 'other', locked_by: 'another pool', attempts: 1, queue: 'another pool' },
    { key: 'young', locked_by: 'pool', attempts: 1, queue: 'pool' },
  ]);
});
