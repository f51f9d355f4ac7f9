/** The kernel's promises (K1 to K5, K8) on every database. Crashes of real processes: test/faults. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/connect.ts';
import { examine, type DoctorSettings } from '../../src/kernel/doctor.ts';
import { auditOf, explainAccount, failedCandidates } from '../../src/kernel/inspect.ts';
import { operate } from '../../src/kernel/operate.ts';
import { everyDatabase } from '../support/databases.ts';

interface Head {
  line_id: bigint;
  fence: bigint;
  candidate_id: bigint;
  due: boolean;
  failures: number;
}

const settings: DoctorSettings = {
  wakeQueues: ['account'],
  poolSizes: [],
  variables: { wakeQueue: 'QUEUE', poolSize: 'POOL', lookDeadline: 'DEADLINE' },
};

describe.each(everyDatabase)('kernel on $name', ({ open }) => {
  let database: Database;
  let account = 0;
  let name = '';

  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  const fresh = () => (name = `account-${(account += 1)}`);
  const submit = async (queue: string | null = null) => {
    const [row] = await database.sql<{ id: bigint }[]>`
      select canonry.submit('test', ${name}, ${queue}) as id`;
    return row!.id;
  };
  const claim = async (holder = 'worker', seconds = 30) => {
    const [head] = await database.sql<Head[]>`
      select * from canonry.claim('test', ${name}, ${holder}, ${seconds})`;
    return head!;
  };
  /** What a domain does: one transaction, under the fence. */
  const finalize = async (head: Head) =>
    database.sql.begin(async (sql) => {
      const [held] = await sql<{ holds: boolean }[]>`
        select canonry.holds(${head.line_id}, ${head.fence}) as holds`;
      if (!held?.holds) return 'fenced';
      await sql`select canonry.resolve(${head.candidate_id}, 'finalized', 'test')`;
      const [next] = await sql<Head[]>`
        select * from canonry.next_head(${head.line_id}, ${head.fence})`;
      return next!;
    });
  const jobs = async () => database.sql<{ key: string; queue_name: string | null; run_at: Date }[]>`
    select key, queue_name, run_at from graphile_worker.jobs where key = ${`test:${name}`}`;

  it('K1: candidate and wake-up commit together, one pending wake-up an account', async () => {
    fresh();
    await database.sql
      .begin(async (sql) => {
        await sql`select canonry.submit('test', ${name}, ${`account:${name}`})`;
        throw new Error('rolled back');
      })
      .catch(() => {});
    expect(await jobs()).toHaveLength(0);
    await submit(`account:${name}`);
    await submit(`account:${name}`);
    expect(await jobs()).toMatchObject([{ queue_name: `account:${name}` }]);
  });

  it('K2: only the head is offered, in order of submission, and a retry keeps its place', async () => {
    fresh();
    const [first, second] = [await submit(), await submit()];
    const head = await claim();
    expect(head.candidate_id).toBe(first);
    await database.sql`select canonry.snooze(
      ${head.line_id}, ${head.fence}, ${head.candidate_id}, 0, 'waiting', null)`;
    const again = await claim();
    expect(again.candidate_id).toBe(first);
    const next = await finalize(again);
    expect(next).toMatchObject({ candidate_id: second, due: true });
    expect(await finalize(next as Head)).toMatchObject({ candidate_id: null });
  });

  it('K3: whoever was overtaken changes nothing, whenever its write arrives', async () => {
    fresh();
    await submit();
    const stale = await claim('first');
    // a claim is over at any age: the embedded database's clock may stand still between two statements
    const holder = await claim('second', -1);
    expect(holder.fence).toBeGreaterThan(stale.fence);
    expect(await finalize(stale)).toBe('fenced');
    const calls = [
      database.sql`select held as done from canonry.snooze(${stale.line_id}, ${stale.fence}, ${stale.candidate_id}, 9, 'x', null)`,
      database.sql`select canonry.hand_over(${stale.line_id}, ${stale.fence}, null) as done`,
      database.sql`select canonry.fail(${stale.line_id}, ${stale.fence}, ${stale.candidate_id}, 'x', null, 'halt') as done`,
    ];
    for (const call of calls) expect(await call).toMatchObject([{ done: false }]);
    expect(await finalize(holder)).toMatchObject({ candidate_id: null });
  });

  it('K3: a line that is held is left alone until the claim is over', async () => {
    fresh();
    await submit();
    await claim('first');
    expect((await claim('second')).candidate_id).toBeNull();
    expect((await claim('second', -1)).candidate_id).not.toBeNull();
  });

  it('K3: the fence never resets on release: an ancient holder stays fenced for ever', async () => {
    fresh();
    const fences: bigint[] = [];
    let ancient: Head | undefined;
    const releases = [
      (head: Head) => database.sql`select canonry.hand_over(${head.line_id}, ${head.fence}, null)`,
      (head: Head) =>
        database.sql`select canonry.snooze(${head.line_id}, ${head.fence}, ${head.candidate_id}, 0, 'x', null)`,
      // the line is empty then, and free
      (head: Head) => finalize(head),
      () => database.sql`select canonry.retire('worker')`,
    ];
    await submit();
    for (const [n, release] of releases.entries()) {
      if (n === releases.length - 1) await submit();
      const head = await claim();
      ancient ??= head;
      fences.push(head.fence);
      await release(head);
    }
    fences.push((await claim()).fence);
    expect(fences).toEqual(fences.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(fences).size).toBe(fences.length);
    expect(await finalize(ancient!)).toBe('fenced');
  });

  it('K4: a resolution whose transaction fails leaves nothing behind', async () => {
    fresh();
    const id = await submit();
    const head = await claim();
    await database.sql
      .begin(async (sql) => {
        await sql`select canonry.resolve(${id}, 'finalized', 'test')`;
        throw new Error('rolled back');
      })
      .catch(() => {});
    expect(await finalize(head)).toMatchObject({ candidate_id: null });
    await expect(database.sql`select canonry.resolve(${id}, 'finalized', 'test')`).rejects.toThrow(
      'is not waiting',
    );
  });

  it('K5: a destroyed wake-up is replaced by the sweep, and only then', async () => {
    fresh();
    await submit();
    const sweep = async () => {
      const [row] = await database.sql<{ woken: number }[]>`select canonry.sweep(0) as woken`;
      return row!.woken;
    };
    await sweep();
    expect(await sweep()).toBe(0);
    await database.sql`select graphile_worker.remove_job(${`test:${name}`})`;
    expect(await sweep()).toBe(1);
    expect(await jobs()).toHaveLength(1);
  });

  it('K6: retiring a worker frees its lines under a higher fence and wakes them', async () => {
    fresh();
    await submit();
    const head = await claim('dead');
    await database.sql`select graphile_worker.remove_job(${`test:${name}`})`;
    await database.sql`insert into canonry.worker (worker_id, beat_at)
      values ('dead', clock_timestamp() - interval '1 minute')`;
    const reaped = await database.sql`select worker from canonry.beat('alive', 0.2, '{}') worker`;
    expect(reaped).toContainEqual({ worker: 'dead' });
    // a second sweep does no harm
    await database.sql`select canonry.retire('dead')`;
    expect(await finalize(head)).toBe('fenced');
    expect(await jobs()).toHaveLength(1);
    expect((await claim('alive')).candidate_id).toBe(head.candidate_id);
    await database.sql`select canonry.retire('alive')`;
  });

  it('K6: a claim whose answer was lost is freed by the heartbeat of its own worker', async () => {
    fresh();
    await submit();
    const lost = await claim('myself');
    await database.sql`select graphile_worker.remove_job(${`test:${name}`})`;
    await database.sql`update canonry.line set claimed_at = now() - interval '3 seconds'
      where account = ${name}`;
    await database.sql`select canonry.beat('myself', 2, ${[String(lost.line_id)]}::text[]::bigint[])`;
    expect((await claim('other')).candidate_id).toBeNull();
    await database.sql`select canonry.beat('myself', 2, '{}')`;
    expect(await jobs()).toHaveLength(1);
    expect((await claim('other')).candidate_id).toBe(lost.candidate_id);
    expect(await finalize(lost)).toBe('fenced');
    await database.sql`select canonry.retire('myself')`;
  });

  it('K8: an unexplained failure is retried, then halts the line, visibly in both worlds', async () => {
    fresh();
    const id = await submit();
    await submit();
    const head = await claim();
    await database.sql`select canonry.fail(
      ${head.line_id}, ${head.fence}, ${id}, 'Error: boom', 0, 'halt')`;
    const second = await claim();
    expect(second).toMatchObject({ candidate_id: id, failures: 1 });
    await database.sql`select canonry.fail(
      ${second.line_id}, ${second.fence}, ${id}, 'Error: boom', null, 'halt')`;
    expect((await claim()).due).toBe(false);

    const all = await failedCandidates(database.sql);
    const failed = all.find((row) => row.account === name);
    expect(failed).toMatchObject({ candidate_id: id, last_error: 'Error: boom', failures: 2 });
    const [job] = await database.sql`select last_error, attempts >= max_attempts as permafailed
      from graphile_worker.jobs where id = ${failed!.job_id!}`;
    expect(job).toEqual({ last_error: 'Error: boom', permafailed: true });
    const [line] = await explainAccount(database.sql, name);
    expect(line).toMatchObject({ state: 'halted', why: 'failed', unresolved: 2 });
    const findings = await examine(database, settings);
    expect(findings.find(({ check }) => check === 'halted candidates')?.ok).toBe(false);
    expect(findings.find(({ check }) => check === 'failed jobs agree')?.ok).toBe(true);
  });

  it('K8: a person retries, skips or discards, audited, and the failed job goes', async () => {
    fresh();
    for (const action of ['retry', 'skip', 'discard'] as const) {
      const id = await submit();
      const head = await claim();
      await database.sql`select canonry.fail(
        ${head.line_id}, ${head.fence}, ${id}, 'boom', null, 'halt')`;
      const next = await submit();
      if (action !== 'retry')
        expect(await operate(database.sql, next, action, 'me', 'r')).toBe('not_head');
      expect(await operate(database.sql, id, action, 'me', 'because')).toBe('done');
      const [entry] = await auditOf(database.sql, name, 1);
      expect(entry).toMatchObject({ actor: 'me', action, reason: 'because', candidate_id: id });
      expect(
        await database.sql`select 1 from graphile_worker.jobs where key = ${`failed:${id}`}`,
      ).toHaveLength(0);
      let now: Head = await claim();
      expect(now.candidate_id).toBe(action === 'retry' ? id : next);
      while (now.candidate_id) now = (await finalize(now)) as Head;
    }
    expect(await operate(database.sql, 0n, 'retry', 'me', 'r')).toBe('not_found');
    await expect(database.sql`delete from canonry.audit`).rejects.toThrow('append-only');
  });

  it('a policy may skip instead: the line goes on and the failed job stays to be seen', async () => {
    fresh();
    const [id, next] = [await submit(), await submit()];
    const head = await claim();
    await database.sql`select canonry.fail(
      ${head.line_id}, ${head.fence}, ${id}, 'boom', null, 'skip')`;
    expect((await claim()).candidate_id).toBe(next);
    const marker = await database.sql`
      select 1 from graphile_worker.jobs where key = ${`failed:${id}`}`;
    expect(marker).toHaveLength(1);
  });

  it('idle queue rows go, used ones stay', async () => {
    fresh();
    await submit(`account:${name}`);
    const rows = async () => {
      await database.sql`select canonry.remove_idle_queues(1000)`;
      return database.sql`select 1 from graphile_worker._private_job_queues
        where queue_name = ${`account:${name}`}`;
    };
    expect(await rows()).toHaveLength(1);
    await database.sql`select graphile_worker.remove_job(${`test:${name}`})`;
    expect(await rows()).toHaveLength(0);
  });

  it('a request from outside makes the head due now', async () => {
    fresh();
    await submit();
    const head = await claim();
    await database.sql`select canonry.snooze(
      ${head.line_id}, ${head.fence}, ${head.candidate_id}, 3600, 'waiting', null)`;
    expect((await claim()).due).toBe(false);
    await database.sql`select canonry.look_now('test', ${name})`;
    expect((await claim()).due).toBe(true);
  });
});
