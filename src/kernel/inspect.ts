/** What a person asks about lines: reads only, by our own state and by the engine's views. */
import type { Sql } from '../database/connect.ts';

/** A candidate that a person has to look at, and whether the engine's failed jobs show it too. */
export interface FailedCandidate {
  candidate_id: bigint;
  task: string;
  account: string;
  state: string;
  failures: number;
  last_error: string | null;
  submitted_at: Date;
  /** Permanently failed job of graphile-worker that marks it; null when the engine lacks it. */
  job_id: bigint | null;
}

/** The job of an account, of any task, that has failed for good or that is missing. */
export interface FailedJob {
  task: string;
  account: string;
  /** Null when the engine lacks it. */
  job_id: bigint | null;
  last_error: string | null;
  since: Date | null;
}

/** A line with its head, why it waits, and the wake-up that will look at it. */
export interface ExplainedLine {
  task: string;
  account: string;
  fence: bigint;
  holder: string | null;
  claimed_at: Date | null;
  unresolved: number;
  candidate_id: bigint | null;
  state: string | null;
  why: string | null;
  attempts: number | null;
  failures: number | null;
  submitted_at: Date | null;
  next_attempt_at: Date | null;
  last_error: string | null;
  job_id: bigint | null;
  job_run_at: Date | null;
  job_locked_by: string | null;
}

export interface AuditEntry {
  at: Date;
  actor: string;
  action: string;
  task: string;
  /** 0 where a job was meant. */
  candidate_id: bigint;
  reason: string;
}

/**
 * Halted candidates, and those whose policy let the line go on without them and that nobody has
 * looked at since; oldest first. Index: candidate_halted; the engine's jobs are read once.
 */
export async function failedCandidates(sql: Sql): Promise<FailedCandidate[]> {
  return sql<FailedCandidate[]>`
    with marker as materialized (
      select id, substr(key, 8)::bigint as candidate_id
      from graphile_worker.jobs where key ~ '^failed:[0-9]{1,18}$'
    ), failed as (
      select candidate_id from canonry.candidate where state = 'halted'
      union
      select candidate_id from marker
    )
    select c.candidate_id, l.task, l.account, c.state, c.failures, c.last_error, c.submitted_at,
           m.id as job_id
    from failed
    join canonry.candidate c using (candidate_id)
    join canonry.line l using (line_id)
    left join marker m using (candidate_id)
    order by c.candidate_id`;
}

/**
 * Wake-ups that the engine has given up, oldest first. The sweep makes a new one for a line with a due
 * head; for other tasks nothing but newer work would.
 * Markers of candidates have other keys, and what a newer wake-up has replaced has none.
 */
export async function failedJobs(sql: Sql): Promise<FailedJob[]> {
  return sql<FailedJob[]>`
    select task_identifier as task, substr(key, length(task_identifier) + 2) as account,
           id as job_id, last_error,
           -- a failure sets nothing but the time of the attempt after it
           greatest(updated_at, run_at - make_interval(secs => exp(least(attempts, 10)))) as since
    from graphile_worker.jobs
    where attempts >= max_attempts and locked_at is null
      and starts_with(key, task_identifier || ':')
    order by since, id`;
}

/**
 * Every line of an account with its head; empty when the account never had a candidate.
 * Index: unique (account, task), candidate_unresolved.
 */
export async function explainAccount(sql: Sql, account: string): Promise<ExplainedLine[]> {
  return sql<ExplainedLine[]>`
    select l.task, l.account, l.fence, l.holder, l.claimed_at,
           (select count(*)::int from canonry.candidate u
            where u.line_id = l.line_id and u.resolved_at is null) as unresolved,
           h.candidate_id, h.state, h.why, h.attempts, h.failures, h.submitted_at,
           h.next_attempt_at, h.last_error,
           j.id as job_id, j.run_at as job_run_at, j.locked_by as job_locked_by
    from canonry.line l
    left join lateral (
      select * from canonry.candidate c
      where c.line_id = l.line_id and c.resolved_at is null
      order by c.candidate_id limit 1
    ) h on true
    left join graphile_worker.jobs j on j.key = l.task || ':' || l.account
    where l.account = ${account}
    order by l.task`;
}

/** Whose candidate it is; undefined when there is none of this id. */
export async function accountOf(sql: Sql, candidateId: bigint): Promise<string | undefined> {
  const [row] = await sql<{ account: string }[]>`
    select l.account from canonry.candidate c join canonry.line l using (line_id)
    where c.candidate_id = ${candidateId}`;
  return row?.account;
}

/** The newest audit entries of an account. Index: audit_account. */
export async function auditOf(sql: Sql, account: string, limit: number): Promise<AuditEntry[]> {
  return sql<AuditEntry[]>`
    select at, actor, action, task, candidate_id, reason from canonry.audit
    where account = ${account} order by audit_id desc limit ${limit}`;
}
