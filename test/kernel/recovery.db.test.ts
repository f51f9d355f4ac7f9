/** What the sweep finds and what a late write may still do, on every database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/connect.ts';
import { auditOf, failedCandidates } from '../../src/kernel/inspect.ts';
import { operate } from '../../src/kernel/operate.ts';
import { everyDatabase } from '../support/databases.ts';

interface Head {
  line_id: bigint;
  fence: bigint;
  candidate_id: bigint;
  failures: number;
  due: boolean;
}

describe.each(everyDatabase)('recovery on $name', ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  const submit = async (account: string) => {
    const [row] = await database.sql<{ id: bigint }[]>`
      select canonry.submit('test', ${account}, null) as id`;
    return row!.id;
  };
  const claim = async (account: string, holder = 'worker') => {
    const [head] = await database.sql<Head[]>`
      select * from canonry.claim('test', ${account}, ${holder}, 30)`;
    return head!;
  };
  const sweep = async () => {
    const [row] = await database.sql<{ woken: number }[]>`select canonry.sweep(0) as woken`;
    return row!.woken;
  };
  const postpone = async (account: string, seconds: number) =>
    database.sql`select graphile_worker.add_job('test', job_key := ${`test:${account}`},
      run_at := now() + make_interval(secs => ${seconds}))`;
  const wakeUpOf = async (account: string) => {
    const [job] = await database.sql<{ ready: boolean }[]>`
      select run_at <= clock_timestamp() as ready from graphile_worker.jobs
      where key = ${`test:${account}`}`;
    return job;
  };

  it('wakes a line whose wake-up the engine put off, and not one that a worker has', async () => {
    await submit('put off');
    expect(await sweep()).toBe(0);
    // what 5 failed claims in a row come to
    await postpone('put off', 148);
    expect(await sweep()).toBe(1);
    expect(await wakeUpOf('put off')).toEqual({ ready: true });
    await database.sql`insert into canonry.worker (worker_id) values ('another')`;
    const [job] = await database.sql<{ id: bigint }[]>`
      update graphile_worker._private_jobs
      set locked_by = 'another', locked_at = now(), run_at = now() + interval '1 hour'
      where key = 'test:put off' returning id`;
    expect(await sweep()).toBe(0);
    await database.sql`select graphile_worker.complete_jobs(array[${job!.id}::bigint])`;
    await database.sql`update canonry.candidate set state = 'parked', resolved_at = now()
      where resolved_at is null`;
  });

  it('wakes a line whose holder got no answer, though its job is still at work', async () => {
    await submit('silent');
    await database.sql`insert into canonry.worker (worker_id) values ('waits for an answer')`;
    await claim('silent', 'waits for an answer');
    await database.sql`update graphile_worker._private_jobs
      set locked_by = 'waits for an answer', locked_at = now() where key = 'test:silent'`;
    expect(await sweep()).toBe(0);
    await database.sql`update canonry.line set claimed_at = now() - interval '2 minutes'
      where account = 'silent'`;
    expect(await sweep()).toBe(1);
    expect(await wakeUpOf('silent')).toEqual({ ready: true });
    expect((await claim('silent', 'another')).candidate_id).not.toBeNull();
    await database.sql`update canonry.candidate set state = 'parked', resolved_at = now()
      where resolved_at is null`;
  });

  it.each(['completion', 'return'])(
    'wakes a line whose job stays locked for a living worker: its %s was lost',
    async (lost) => {
      const account = `lost ${lost}`;
      await database.sql`select canonry.submit('test', ${account}, ${`account:${account}`})`;
      await database.sql`insert into canonry.worker (worker_id, beat_at)
        values (${account}, now() + interval '1 hour')`;
      const fetched = (secondsAgo: number) => database.sql`
        with job as (
          update graphile_worker._private_jobs
            set locked_by = ${account}, locked_at = now() - make_interval(secs => ${secondsAgo})
            where locked_by = ${account} or key = ${`test:${account}`} and locked_by is null
            returning job_queue_id, locked_at
        )
        update graphile_worker._private_job_queues q
          set locked_by = ${account}, locked_at = job.locked_at
          from job where q.id = job.job_queue_id`;
      await fetched(3);
      if (lost === 'completion') {
        const head = await claim(account, account);
        await database.sql`select canonry.resolve(${head.candidate_id}, 'finalized', 'test')`;
        await database.sql`select canonry.next_head(${head.line_id}, ${head.fence})`;
        await database.sql`select canonry.submit('test', ${account}, ${`account:${account}`})`;
      }
      await database.sql`update canonry.candidate set next_attempt_at = now() - interval '1 minute'
        where resolved_at is null`;
      expect(await sweep()).toBe(0);
      await database.sql`update graphile_worker._private_jobs
        set locked_at = now() - interval '6 seconds' where locked_by = ${account}`;
      await database.sql`update graphile_worker._private_job_queues
        set locked_at = now() - interval '6 seconds' where locked_by = ${account}`;
      expect(await sweep()).toBe(1);
      const [job] = await database.sql`
        select j.is_available as free from graphile_worker._private_jobs j
        left join graphile_worker._private_job_queues q on q.id = j.job_queue_id
        where key = ${`test:${account}`} and q.locked_at is null`;
      expect(job).toEqual({ free: true });
      await database.sql`update canonry.candidate set state = 'parked', resolved_at = now()
        where resolved_at is null`;
    },
  );

  it('K1: a head that is not due when it comes to the front has its wake-up', async () => {
    await submit('moves up');
    const follower = await submit('moves up');
    await database.sql`update canonry.candidate set next_attempt_at = now() + interval '100 seconds'
      where candidate_id = ${follower}`;
    const head = await claim('moves up');
    await database.sql`delete from graphile_worker._private_jobs where key = 'test:moves up'`;
    await database.sql`select canonry.resolve(${head.candidate_id}, 'finalized', 'test')`;
    const [next] = await database.sql<Head[]>`
      select * from canonry.next_head(${head.line_id}, ${head.fence})`;
    expect(next).toMatchObject({ candidate_id: follower, due: false });
    expect(await wakeUpOf('moves up')).toEqual({ ready: false });
  });

  it('K6: who was silent himself takes nobody for gone who was silent no longer', async () => {
    const silent = (worker: string, seconds: number) => database.sql`
      insert into canonry.worker (worker_id, beat_at)
        values (${worker}, clock_timestamp() - make_interval(secs => ${seconds}))
        on conflict (worker_id) do update set beat_at = excluded.beat_at`;
    const beat = async (worker: string) => {
      // a server that has just started (the embedded one has) takes nobody for gone
      const rows = await database.sql<{ gone: string }[]>`
        select canonry.beat(${worker}, 0.01, '{}') as gone`;
      return rows.map(({ gone }) => gone).filter((name) => name.startsWith('stalled'));
    };
    await silent('stalled a', 30);
    await silent('stalled b', 30);
    await silent('stalled c', 300);
    expect(await beat('stalled a')).toEqual(['stalled c']);
    expect(await beat('stalled a')).toEqual(['stalled b']);
  });

  it('K5: a wake-up that finds its head not due leaves another for when it is', async () => {
    await submit('early');
    const follower = await submit('early');
    const head = await claim('early');
    await database.sql`select canonry.snooze(
      ${head.line_id}, ${head.fence}, ${head.candidate_id}, 100, 'not yet', null)`;
    // a retry of what stands behind the head brings the line's wake-up forward
    expect(await operate(database.sql, follower, 'retry', 'me', 'test')).toBe('done');
    expect(await wakeUpOf('early')).toEqual({ ready: true });
    expect(await claim('early')).toMatchObject({ due: false });
    expect(await wakeUpOf('early')).toEqual({ ready: false });
  });

  it('finds a lost wake-up behind thousands that are rightly without one', async () => {
    await database.sql`
      insert into canonry.line (task, account) select 'test', 'halted ' || n
        from generate_series(1, 1100) n`;
    await database.sql`
      insert into canonry.candidate (line_id, state, next_attempt_at)
        select line_id, 'halted', now() - interval '1 day' from canonry.line
        where account like 'halted %'`;
    // and followers of heads that wait
    await database.sql`
      insert into canonry.candidate (line_id, next_attempt_at)
        select line_id, now() - interval '1 day' from canonry.line where account like 'halted %'`;
    await submit('lost');
    await database.sql`delete from graphile_worker._private_jobs where key = 'test:lost'`;
    expect(await sweep()).toBe(1);
    expect(await wakeUpOf('lost')).toEqual({ ready: true });
  }, 20_000);

  it('frees a line held by a pool without a heartbeat, and by no other', async () => {
    await Promise.all(['orphan', 'alive'].map(submit));
    await database.sql`insert into canonry.worker (worker_id) values ('pool with heartbeat')`;
    const orphan = await claim('orphan', 'pool without heartbeat');
    await claim('alive', 'pool with heartbeat');
    await sweep();
    const lines = await database.sql<{ account: string; holder: string; fence: bigint }[]>`
      select account, holder, fence from canonry.line where account in ('orphan', 'alive')
      order by account`;
    expect(lines).toMatchObject([
      { holder: 'pool with heartbeat' },
      { holder: null, fence: orphan.fence + 1n },
    ]);
    expect(await wakeUpOf('orphan')).toEqual({ ready: true });
  });

  it.each([
    ['who was retired', () => database.sql`select canonry.retire('zombie')`],
    ['of a pool without a heartbeat', () => database.sql`select canonry.free_orphans(0)`],
    [
      'to a fetch whose answer was late',
      () => database.sql`select canonry.unlock_jobs('zombie', array_agg(job_id))
        from canonry.locked_jobs('zombie', 0)`,
    ],
  ])('K1: the completion of a zombie (%s) deletes no wake-up', async (who, takeAway) => {
    await submit(who);
    const [fetched] = await database.sql<{ id: bigint }[]>`
      update graphile_worker._private_jobs set locked_by = 'zombie', locked_at = now(), attempts = 1
      where key = ${`test:${who}`} returning id`;
    await takeAway();
    expect(await wakeUpOf(who)).toEqual({ ready: true });
    // it works on, under a new claim, and leaves the candidate waiting
    const head = await claim(who, 'zombie');
    await database.sql`select canonry.snooze(
      ${head.line_id}, ${head.fence}, ${head.candidate_id}, 100, 'not yet', null)`;
    // as the engine does
    await database.sql`delete from graphile_worker._private_jobs where id = ${fetched!.id}`;
    expect(await wakeUpOf(who)).toEqual({ ready: false });
  });

  it('K3: a write that arrives after its line was let go changes nothing', async () => {
    await submit('late');
    const head = await claim('late');
    const { line_id: line, fence, candidate_id: candidate } = head;
    await database.sql`select canonry.fail(${line}, ${fence}, ${candidate}, 'x', null, 'halt')`;
    const late = [
      database.sql`select canonry.holds(${line}, ${fence}) as done`,
      database.sql`select held as done from canonry.snooze(${line}, ${fence}, ${candidate}, 0, 'x', null)`,
      database.sql`select canonry.hand_over(${line}, ${fence}, null) as done`,
      database.sql`select canonry.fail(${line}, ${fence}, ${candidate}, 'x', 1, 'halt') as done`,
    ];
    for (const write of late) expect(await write).toMatchObject([{ done: false }]);
    expect(
      await database.sql`select state, failures from canonry.candidate
      where candidate_id = ${candidate}`,
    ).toMatchObject([{ state: 'halted', failures: 1 }]);
  });

  it('K8: shows what a policy has let go until somebody has looked at it', async () => {
    const id = await submit('let go');
    const head = await claim('let go');
    await database.sql`select canonry.fail(
      ${head.line_id}, ${head.fence}, ${id}, 'no rule for this', null, 'skip')`;
    const shown = await failedCandidates(database.sql);
    expect(shown.filter(({ candidate_id }) => candidate_id === id)).toMatchObject([
      {
        account: 'let go',
        state: 'parked',
        last_error: 'no rule for this',
        job_id: expect.any(BigInt),
      },
    ]);
    expect(await operate(database.sql, id, 'retry', 'me', 'r')).toBe('not_unresolved');
    expect(await operate(database.sql, id, 'skip', 'me', 'seen')).toBe('done');
    const left = await failedCandidates(database.sql);
    expect(left.filter(({ candidate_id }) => candidate_id === id)).toEqual([]);
    expect(await operate(database.sql, id, 'skip', 'me', 'again')).toBe('not_unresolved');
    expect((await auditOf(database.sql, 'let go', 1))[0]).toMatchObject({ reason: 'seen' });
  });

  it('counts failures in a row: one that was overcome is forgotten', async () => {
    await submit('flaky');
    for (const failures of [0, 1, 2]) {
      const head = await claim('flaky');
      expect(head.failures).toBe(failures);
      await database.sql`select canonry.fail(
        ${head.line_id}, ${head.fence}, ${head.candidate_id}, 'x', 0, 'halt')`;
    }
    const head = await claim('flaky');
    await database.sql`select canonry.snooze(
      ${head.line_id}, ${head.fence}, ${head.candidate_id}, 0, 'not yet', null)`;
    expect((await claim('flaky')).failures).toBe(0);
  });
});
