/** Signs that the kernel is not well, each with its remedy. Reads only. */
import type { Database, Sql } from '../database/connect.ts';
import { doctorLimits as limits, kernelLimits } from '../limits.ts';
import { failedJobs, type FailedJob } from './inspect.ts';

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

/** What the living processes have announced of their settings. */
export interface DoctorSettings {
  /** The modes that are in use; none when no process lives. */
  wakeQueues: readonly string[];
  /** Connections that each living worker may open for its writes. */
  poolSizes: readonly { process: string; size: number }[];
  /** What an operator changes them with. */
  variables: Record<'wakeQueue' | 'poolSize' | 'lookDeadline', string>;
}

/** All checks, in a fixed order. */
export async function examine(
  { sql, kind }: Pick<Database, 'sql' | 'kind'>,
  settings: DoctorSettings,
): Promise<Finding[]> {
  const signs = await readSigns(sql);
  const failed = await failedJobs(sql);
  return [
    queueRows(signs, settings),
    ...workerFindings(signs),
    ...lineFindings(signs, settings),
    finding(
      'failed jobs',
      failed.length === 0,
      `${failed.length} jobs of accounts have failed for good${failed.slice(0, limits.namedJobs).map(named).join('')}`,
      'canonry failed lists all; repair what they tell of, then canonry retry ACCOUNT --task TASK',
    ),
    finding(
      'old transactions',
      signs.oldest_transaction_seconds < limits.oldTransactionSeconds,
      `the oldest open transaction is ${Math.round(signs.oldest_transaction_seconds)} s old`,
      'end it: while it is open, finished jobs cannot be cleaned up and fetches slow down',
    ),
    poolSizes(settings),
    ...(kind === 'postgres' ? [await durability(sql)] : []),
  ];
}

function named({ task, account, last_error: error, since }: FailedJob): string {
  return `; ${task} of ${account} since ${since?.toISOString()}: ${error}`;
}

function finding(check: string, ok: boolean, detail: string, remedy: string): Finding {
  return ok ? { check, ok, detail } : { check, ok, detail, remedy };
}

function queueRows(signs: Signs, { wakeQueues, variables }: DoctorSettings): Finding {
  const inUse = wakeQueues.map((mode) => `${variables.wakeQueue}=${mode}`).join(' and ');
  return finding(
    'queue rows',
    signs.queue_rows < limits.queueRows,
    `${signs.queue_rows} rows in the engine's queue table, ${inUse || 'no living process'}`,
    wakeQueues.every((mode) => mode === 'none')
      ? 'they were made before queue names were turned off, or by jobs of others: a running worker removes what is idle within seconds'
      : `so many accounts are active at once that queue names cost more than they tell: set ${variables.wakeQueue}=none`,
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
      `a look outside takes longer than its deadline: check ${variables.lookDeadline} and what it looks at`,
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

function poolSizes({ poolSizes: pools, variables }: DoctorSettings): Finding {
  const small = pools.filter(({ size }) => size < kernelLimits.workerConnections);
  const names = small.map(({ process, size }) => `${size} on ${process}`).join(', ');
  return finding(
    'pool size',
    small.length === 0,
    `a busy worker writes over ${kernelLimits.workerConnections} connections${names && `, and has ${names}`}`,
    `raise ${variables.poolSize} there`,
  );
}

/** Whether what was acknowledged outlives a crash (Postgres' manual, "Reliability"). */
async function durability(sql: Sql): Promise<Finding> {
  const reasons = await sql<{ reason: string }[]>`
    select reason from (values
      (current_setting('fsync') = 'off', 'fsync is off: a crash of the machine can lose everything'),
      (current_setting('full_page_writes') = 'off',
        'full_page_writes is off: a crash of the machine can leave torn pages'),
      (current_setting('synchronous_commit') = 'off',
        'synchronous_commit is off: a crash of the server loses what it acknowledged last'),
      (current_setting('synchronous_commit') = 'local'
          and current_setting('synchronous_standby_names') <> '',
        'synchronous_commit is local: a failover loses what it acknowledged last')
    ) setting (risky, reason) where risky
    union all
    select 'synchronous_commit is off for ' || coalesce(r.rolname, 'every role')
        || ': a crash of the server loses what it acknowledged last'
      from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole
      where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
        and (r.oid is null or has_schema_privilege(r.oid, 'canonry', 'usage'))
        and exists (
          select 1 from unnest(s.setconfig) item
          where item ~* '^synchronous_commit=(off|false|no|0)$'
        )`;
  return finding(
    'durability',
    reasons.length === 0,
    reasons.length === 0
      ? 'what is acknowledged is on disk'
      : reasons.map(({ reason }) => reason).join('; '),
    'turn it on again: an acknowledgement is a promise',
  );
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
    ), marker as materialized (
      select substr(key, 8)::bigint as candidate_id from graphile_worker.jobs
      where key ~ '^failed:[0-9]{1,18}$' and attempts >= max_attempts
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
