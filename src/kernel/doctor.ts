/** Signs that the kernel is not well, each with its remedy. Reads only. */
import type { Sql } from '../database/connect.ts';
import { doctorLimits as limits, kernelLimits } from '../limits.ts';

export interface Finding {
  check: string;
  ok: boolean;
  /** What was seen. */
  detail: string;
  /** What to do; present when not ok. */
  remedy?: string;
}

interface Signs {
  queue_rows: number;
  workers: number;
  silent_workers: number;
  waiting: number;
  stuck_lines: number;
  stale_claims: number;
  halted: number;
  unmarked: number;
  stray_markers: number;
  orphan_locks: number;
  oldest_transaction_seconds: number;
}

/** What the doctor compares the database's state with. */
export interface DoctorSettings {
  wakeQueue: 'account' | 'none';
  poolSize: number;
  /** Deadline of one look outside, milliseconds. */
  lookDeadlineMs: number;
  /** What an operator changes them with. */
  variables: Record<'wakeQueue' | 'poolSize' | 'lookDeadlineMs', string>;
}

/** All checks, in a fixed order. */
export async function examine(sql: Sql, settings: DoctorSettings): Promise<Finding[]> {
  const signs = await readSigns(sql);
  return [
    queueRows(signs, settings),
    ...workerFindings(signs),
    ...lineFindings(signs, settings),
    finding(
      'old transactions',
      signs.oldest_transaction_seconds < limits.oldTransactionSeconds,
      `the oldest open transaction is ${Math.round(signs.oldest_transaction_seconds)} s old`,
      'end it: while it is open, finished jobs cannot be cleaned up and fetches slow down',
    ),
    ...settingFindings(settings),
  ];
}

function finding(check: string, ok: boolean, detail: string, remedy: string): Finding {
  return ok ? { check, ok, detail } : { check, ok, detail, remedy };
}

function queueRows(signs: Signs, settings: DoctorSettings): Finding {
  return finding(
    'queue rows',
    signs.queue_rows < limits.queueRows,
    `${signs.queue_rows} rows in the engine's queue table, ${settings.variables.wakeQueue}=${settings.wakeQueue}`,
    `so many accounts are active at once that queue names cost more than they tell: set ${settings.variables.wakeQueue}=none`,
  );
}

function workerFindings(signs: Signs): Finding[] {
  return [
    finding(
      'workers',
      signs.workers > 0 || signs.waiting === 0,
      `${signs.workers} alive, ${signs.waiting} candidates waiting`,
      'start a worker (npm run worker; fly scale count worker=1)',
    ),
    finding(
      'silent workers',
      signs.silent_workers === 0,
      `${signs.silent_workers} without a heartbeat`,
      'a running worker retires them within seconds; if they stay, no worker is running',
    ),
    finding(
      'orphan locks',
      signs.orphan_locks === 0,
      `${signs.orphan_locks} jobs or queues locked by pools without a heartbeat`,
      'a running worker frees them within seconds; a stock graphile-worker without our preset keeps them',
    ),
  ];
}

function lineFindings(signs: Signs, { variables }: DoctorSettings): Finding[] {
  return [
    finding(
      'stuck lines',
      signs.stuck_lines === 0,
      `${signs.stuck_lines} lines are due for over ${limits.stuckSeconds} s and nobody holds them`,
      'more work than the workers can do, or none is running: see the workers check, then scale',
    ),
    finding(
      'claims',
      signs.stale_claims === 0,
      `${signs.stale_claims} lines are held for over ${kernelLimits.claimSeconds} s`,
      `a look outside takes longer than its deadline: check ${variables.lookDeadlineMs} and what it looks at`,
    ),
    finding(
      'halted candidates',
      signs.halted === 0,
      `${signs.halted} wait for a person`,
      'canonry failed lists them; canonry retry, skip or discard decides',
    ),
    finding(
      'failed jobs agree',
      signs.unmarked === 0 && signs.stray_markers === 0,
      `${signs.unmarked} halted candidates without a failed job, ${signs.stray_markers} failed jobs without a halted candidate`,
      'a running worker restores missing ones within seconds; remove stray ones with graphile_worker.complete_jobs',
    ),
  ];
}

function settingFindings(settings: DoctorSettings): Finding[] {
  const { variables } = settings;
  return [
    finding(
      'look-up deadline',
      settings.lookDeadlineMs < kernelLimits.claimSeconds * 1_000,
      `${settings.lookDeadlineMs} ms within a claim of ${kernelLimits.claimSeconds} s`,
      `lower ${variables.lookDeadlineMs} below the claim`,
    ),
    finding(
      'pool size',
      settings.poolSize >= kernelLimits.workerConnections,
      `${settings.poolSize} connections, a busy worker writes over ${kernelLimits.workerConnections}`,
      `raise ${variables.poolSize}`,
    ),
  ];
}

async function readSigns(sql: Sql): Promise<Signs> {
  const silence = kernelLimits.workerSilentSeconds;
  const [signs] = await sql<Signs[]>`
    with worker as (
      select beat_at > clock_timestamp() - make_interval(secs => ${silence * 2}) as alive
      from canonry.worker
    ), head as (
      select distinct on (c.line_id) c.state, c.next_attempt_at, l.holder, l.claimed_at
      from canonry.candidate c join canonry.line l using (line_id)
      where c.resolved_at is null
      order by c.line_id, c.candidate_id
    ), engine_lock as (
      select locked_by from graphile_worker.jobs where locked_by is not null
      union all
      select locked_by from graphile_worker._private_job_queues where locked_by is not null
    ), marker as (
      select substr(key, 8)::bigint as candidate_id from graphile_worker.jobs
      where key like 'failed:%' and attempts >= max_attempts
    )
    select
      (select count(*)::int from graphile_worker._private_job_queues) as queue_rows,
      (select count(*)::int from worker where alive) as workers,
      (select count(*)::int from worker where not alive) as silent_workers,
      (select count(*)::int from canonry.candidate where resolved_at is null) as waiting,
      (select count(*)::int from head where state = 'waiting' and holder is null
        and next_attempt_at < clock_timestamp() - make_interval(secs => ${limits.stuckSeconds}))
        as stuck_lines,
      (select count(*)::int from head where claimed_at <
        clock_timestamp() - make_interval(secs => ${kernelLimits.claimSeconds})) as stale_claims,
      (select count(*)::int from canonry.candidate where state = 'halted') as halted,
      (select count(*)::int from canonry.candidate c where c.state = 'halted'
        and not exists (select 1 from marker m where m.candidate_id = c.candidate_id)) as unmarked,
      (select count(*)::int from marker m where not exists (
        select 1 from canonry.candidate c
        where c.candidate_id = m.candidate_id and c.state in ('halted', 'parked')))
        as stray_markers,
      (select count(*)::int from engine_lock e where not exists (
        select 1 from canonry.worker w where w.worker_id = e.locked_by)) as orphan_locks,
      (select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float8
        from pg_stat_activity where xact_start is not null) as oldest_transaction_seconds`;
  if (!signs) throw new Error('the database returned no signs');
  return signs;
}
