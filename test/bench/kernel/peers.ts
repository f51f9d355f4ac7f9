/** The same payments on other job engines. */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';
import { createAccounts, judge, settleDown, type Load, type Timing } from './load.ts';
import { start, startChain } from './processes.ts';
import { secret, type ScenarioOptions } from './scenario.ts';
import type { Run, Stage } from './stage.ts';

export type Peer = 'graphile-worker' | 'pg-boss';

export interface PeerOrder {
  peer: Peer;
  databaseUrl: string;
  chainPort: number;
  concurrency: number;
}

/** Rate and latency of what it finalized in its time. */
export interface PeerResult extends Timing {
  order_violations: number;
  /** Payments without an effect for which no job is left. */
  lost: number;
  /** Finalized once more: the write had no second effect. */
  duplicates: number;
  /** Payments whose job was still there when the time was over. */
  unfinished: number;
}

/** Jobs of one call that enqueues. */
const chunk = 5_000;

/**
 * Enqueues the load and lets the workers run until all is done, but no longer than `forMs`; the
 * rate is over that time.
 */
export async function drainPeer(
  stage: Stage,
  peer: Peer,
  load: Load,
  options: ScenarioOptions,
  forMs: number,
): Promise<PeerResult> {
  const run = await stage.openRun();
  await run.sql.unsafe(fs.readFileSync(new URL('./schema-peers.sql', import.meta.url), 'utf8'));
  await createAccounts(run.sql, load);
  await run.sql`
    insert into bench.payment (candidate_id, account, seq)
    select nextval('bench.peer_candidate'), 'a' || a, k
    from generate_series(1, ${load.each}::int) k, generate_series(1, ${load.accounts}::int) a
    order by k, a`;
  if (peer === 'pg-boss') await enqueuePgBoss(run, load);
  else await enqueueGraphileWorker(run, load);
  await settleDown(run.sql);
  const chain = await startChain(secret, options.latencyMs);
  const workers = Array.from({ length: options.workers }, () =>
    start('../peer-worker.ts', {
      peer,
      databaseUrl: run.url,
      chainPort: chain.port,
      concurrency: options.concurrency,
    } satisfies PeerOrder),
  );
  await Promise.all(workers.map((worker) => worker.hears()));
  const [begin] = await run.sql<{ now: Date }[]>`select clock_timestamp() as now`;
  for (const worker of workers) worker.send('go');
  const { finalized, seconds } = await untilDone(run, load.accounts * load.each, forMs);
  await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
  await chain.close();
  const unfinished = await jobsLeft(run, peer);
  const { order_violations, lost } = await judge(run.sql, null);
  const [repeats] = await run.sql<{ n: number }[]>`
    select count(*)::int as n from bench.peer_repeat`;
  const latency = await latencySince(run, begin?.now ?? new Date());
  await run.drop();
  return {
    finalized,
    finalizations_per_s: Number((finalized / seconds).toPrecision(4)),
    ...latency,
    order_violations,
    lost: lost - unfinished,
    duplicates: repeats?.n ?? 0,
    unfinished,
  };
}

/** Named queues used plainly: one job a payment, one queue an account. */
async function enqueueGraphileWorker(run: Run, load: Load): Promise<void> {
  for (let at = 1; at <= load.accounts * load.each; at += chunk) {
    // run_at in steps of a microsecond: graphile-worker orders by it
    await run.sql`
      select count(*) from graphile_worker.add_jobs(array(
        select row('payment',
          json_build_object('account', account, 'candidate', candidate_id::text, 'seq', seq::text),
          'account:' || account, now() - interval '1 hour' + candidate_id * interval '1 us',
          null, null, null, null)::graphile_worker.job_spec
        from bench.payment where candidate_id >= ${at} and candidate_id < ${at + chunk}
        order by candidate_id))`;
  }
}

/**
 * Strict FIFO by key. Jobs of one call share their time of creation, which is what it orders by,
 * so no call has two jobs of an account.
 */
async function enqueuePgBoss(run: Run, load: Load): Promise<void> {
  const size = Math.min(chunk, load.accounts);
  const boss = new PgBoss({ connectionString: run.url, max: 2 });
  boss.on('error', () => {});
  await boss.start();
  await boss.createQueue('payment', { policy: 'key_strict_fifo' });
  for (let at = 1; at <= load.accounts * load.each; at += size) {
    const rows = await run.sql<{ account: string; candidate: string; seq: string }[]>`
      select account, candidate_id::text as candidate, seq::text as seq from bench.payment
      where candidate_id >= ${at} and candidate_id < ${at + size} order by candidate_id`;
    await boss.insert(
      'payment',
      rows.map((data) => ({ data: { ...data }, singletonKey: data.account })),
    );
  }
  await boss.stop({ graceful: false });
}

/** Payments without an effect whose job the engine still has, to be run. */
async function jobsLeft(run: Run, peer: Peer): Promise<number> {
  const jobs =
    peer === 'pg-boss'
      ? run.sql`select data ->> 'candidate' as candidate from pgboss.job
          where state in ('created', 'retry', 'active')`
      : run.sql`select payload ->> 'candidate' as candidate from graphile_worker._private_jobs
          where attempts < max_attempts`;
  const [row] = await run.sql<{ n: number }[]>`
    select count(*)::int as n from bench.payment p
    where p.candidate_id::text in (select candidate from (${jobs}) job)
      and not exists (select 1 from bench.effect e where e.candidate_id = p.candidate_id)`;
  return row?.n ?? 0;
}

/** All were there when the workers began. */
async function latencySince(
  run: Run,
  begin: Date,
): Promise<Pick<Timing, 'p50_ms' | 'p99_ms' | 'max_ms'>> {
  const [row] = await run.sql<{ p50: number; p99: number; max: number }[]>`
    select coalesce(percentile_cont(0.5) within group (order by ms), 0) as p50,
      coalesce(percentile_cont(0.99) within group (order by ms), 0) as p99,
      coalesce(max(ms), 0) as max
    from (select (extract(epoch from at - ${begin}) * 1000)::float8 as ms from bench.effect) e`;
  const shown = (ms = 0) => Number(ms.toFixed(2));
  return { p50_ms: shown(row?.p50), p99_ms: shown(row?.p99), max_ms: shown(row?.max) };
}

/** Seconds from the first effect to the last one, or to the end of the time that is given. */
async function untilDone(
  run: Run,
  wanted: number,
  forMs: number,
): Promise<{ finalized: number; seconds: number }> {
  const started = performance.now();
  for (;;) {
    await sleep(100);
    const expired = performance.now() - started > forMs;
    const [row] = await run.sql<{ n: number; seconds: number }[]>`
      select count(*)::int as n, coalesce(extract(epoch from
        case when ${expired} then clock_timestamp() else max(at) end - min(at)), 0)::float8
        as seconds
      from bench.effect`;
    if (row && (expired || row.n >= wanted)) {
      return { finalized: row.n, seconds: row.seconds || forMs / 1_000 };
    }
  }
}
