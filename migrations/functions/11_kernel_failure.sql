-- Failures: what a retry policy does, what a person sees, and what a person can do about it.

-- Who: halt, and the sweep when the marker is missing.
-- Locks: the job row of the marker's key.
-- Leaves a permanently failed job that names the candidate, through graphile-worker's public
-- functions, so that the engine's own views and CLI show what our state says. Reviving the
-- marker there makes the task retry the candidate (K8: the two agree, whoever acts).
create or replace function canonry.mark_failed(
  p_task text, p_account text, p_candidate_id bigint, p_error text
) returns void language plpgsql as $$
declare
  v_job_id bigint;
begin
  for attempt in 1..100 loop
    select j.id into v_job_id from graphile_worker.add_job(
      p_task, json_build_object('account', p_account, 'retry', p_candidate_id),
      run_at := now() + interval '100 years', job_key := 'failed:' || p_candidate_id
    ) j;
    exit when v_job_id is not null;
  end loop;
  perform graphile_worker.permanently_fail_jobs(array[v_job_id], p_error);
end
$$;

-- Who: retry, and every function that ends a halt.
create or replace function canonry.unmark_failed(p_candidate_id bigint)
returns void language sql as $$
  select graphile_worker.complete_jobs(array(
    select id from graphile_worker.jobs where key = 'failed:' || p_candidate_id
  ));
$$;

-- Who: whoever may end a candidate from outside its domain, before it locks anything: fail, operate.
-- Locks: the domain's account row, first in the order. A domain whose follow_resolution is d.f may have
-- a function d.lock_account(account): what a resolution ends, nobody builds on at the same time.
create or replace function canonry.lock_account(p_task text, p_account text)
returns void language plpgsql as $$
declare
  v_lock regprocedure;
begin
  select to_regprocedure(split_part(follow_resolution, '.', 1) || '.lock_account(text)')
    into v_lock from canonry.kind where task = p_task;
  if v_lock is not null then
    execute format('select %s($1)', v_lock::regproc) using p_account;
  end if;
end
$$;

-- Who: the drain, when deciding a candidate failed in a way that no domain rule explains.
-- Locks: of what is skipped the domain's account row; the line row, then the job rows.
-- p_delay_seconds: time until the retry; null: the policy is exhausted. Then p_terminal says what
-- happens: 'halt' keeps the candidate at the head of its line until a person acts; 'skip' parks
-- it and lets the line go on. Both are audited, and both leave a failed job to look at.
-- Returns false when the claim was overtaken.
create or replace function canonry.fail(
  p_line_id bigint, p_fence bigint, p_candidate_id bigint, p_error text,
  p_delay_seconds double precision, p_terminal text
) returns boolean language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_line canonry.line;
begin
  if p_delay_seconds is null and p_terminal = 'skip' then
    perform canonry.lock_account(task, account) from canonry.line where line_id = p_line_id;
  end if;
  update canonry.line set holder = null, claimed_at = null
    where line_id = p_line_id and fence = p_fence and holder is not null
    returning * into v_line;
  if v_line.line_id is null then
    return false;
  end if;
  update canonry.candidate
    set attempts = attempts + 1, failures = failures + 1, last_error = p_error, why = 'failed',
        next_attempt_at = clock_timestamp() + make_interval(secs => coalesce(p_delay_seconds, 0))
    where candidate_id = p_candidate_id and state = 'waiting';
  if not found then
    -- it was resolved after all, and only the answer was lost: the line goes on
    perform canonry.wake(v_line.task, v_line.account, null, null, 'replace');
    return false;
  end if;
  if p_delay_seconds is not null then
    perform canonry.wake(
      v_line.task, v_line.account, null,
      clock_timestamp() + make_interval(secs => p_delay_seconds), 'replace'
    );
    return true;
  end if;

  perform canonry.mark_failed(v_line.task, v_line.account, p_candidate_id, p_error);
  if p_terminal = 'halt' then
    update canonry.candidate set state = 'halted' where candidate_id = p_candidate_id;
  else
    perform canonry.end_unresolved(v_line.task, p_candidate_id, 'parked', 'failed');
    perform canonry.wake(v_line.task, v_line.account, null, null, 'replace');
  end if;
  insert into canonry.audit (actor, action, candidate_id, task, account, reason)
    values ('policy', p_terminal, p_candidate_id, v_line.task, v_line.account, p_error);
  return true;
end
$$;

-- Who: fail and operate. Ends an unresolved candidate from outside its domain, and tells the
-- domain, in the same transaction.
create or replace function canonry.end_unresolved(
  p_task text, p_candidate_id bigint, p_state text, p_why text
) returns void language plpgsql as $$
declare
  v_follow text;
begin
  update canonry.candidate
    set state = p_state, why = p_why, resolved_at = clock_timestamp()
    where candidate_id = p_candidate_id and (resolved_at is null) is true;
  select follow_resolution into v_follow from canonry.kind where task = p_task;
  if v_follow is not null then
    execute format('select %s($1, $2, $3)', v_follow::regproc) using p_candidate_id, p_state, p_why;
  end if;
end
$$;

-- Who: the operator's CLI; the task of a revived marker (retry_revived).
-- Locks: the domain's account row, the line row, then domain rows, then job rows.
-- Index: primary keys.
-- Why safe: raises the fence, so a drain at work on the candidate changes nothing any more.
-- p_action: 'retry' (look again now, with a fresh retry budget), 'skip' (park it, the line goes
-- on), 'discard' (it never happened, the line goes on). A skip of one that its policy has parked
-- already takes it off the list of what a person has to look at.
-- Only the head of a line can be skipped or discarded (K2).
-- Returns 'done', 'not_found', 'not_unresolved' or 'not_head'. What was done is audited with the
-- reason.
create or replace function canonry.operate(
  p_candidate_id bigint, p_action text, p_actor text, p_reason text
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_line canonry.line;
begin
  select l.* into v_line
    from canonry.candidate c join canonry.line l using (line_id)
    where c.candidate_id = p_candidate_id;
  if v_line.line_id is null then
    return 'not_found';
  end if;
  perform canonry.lock_account(v_line.task, v_line.account);
  perform 1 from canonry.line where line_id = v_line.line_id for no key update;
  perform 1 from canonry.candidate
    where candidate_id = p_candidate_id and (resolved_at is null) is true for no key update;
  if not found then
    -- its policy has let the line go on without it: a skip says that somebody has looked
    if p_action <> 'skip' or not exists (
      select 1 from graphile_worker.jobs where key = 'failed:' || p_candidate_id
    ) then
      return 'not_unresolved';
    end if;
    perform canonry.unmark_failed(p_candidate_id);
    insert into canonry.audit (actor, action, candidate_id, task, account, reason)
      values (p_actor, p_action, p_candidate_id, v_line.task, v_line.account, p_reason);
    return 'done';
  end if;
  if p_action <> 'retry' and exists (
    select 1 from canonry.candidate
    where line_id = v_line.line_id and resolved_at is null and candidate_id < p_candidate_id
  ) then
    return 'not_head';
  end if;
  update canonry.line set fence = fence + 1, holder = null, claimed_at = null
    where line_id = v_line.line_id;
  case p_action
    when 'retry' then
      update canonry.candidate
        set state = 'waiting', why = 'retried', failures = 0, next_attempt_at = clock_timestamp()
        where candidate_id = p_candidate_id;
    when 'skip' then
      perform canonry.end_unresolved(v_line.task, p_candidate_id, 'parked', 'skipped');
    when 'discard' then
      perform canonry.end_unresolved(v_line.task, p_candidate_id, 'discarded', 'discarded');
  end case;
  perform canonry.unmark_failed(p_candidate_id);
  perform canonry.wake(v_line.task, v_line.account, null, null, 'replace');
  insert into canonry.audit (actor, action, candidate_id, task, account, reason)
    values (p_actor, p_action, p_candidate_id, v_line.task, v_line.account, p_reason);
  return 'done';
end
$$;

-- Who: the task of a marker that a person revived with the engine's own tools. All that a worker may
-- do of what operate can.
-- One that its policy has let go cannot be retried: its line has gone on. The engine deletes the
-- revived marker, so it gets a new one, until a person says that he has looked (skip): after this ran.
create or replace function canonry.retry_revived(p_candidate_id bigint) returns text
language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_outcome text := canonry.operate(
    p_candidate_id, 'retry', 'graphile-worker', 'the failed job was revived');
begin
  if v_outcome = 'not_unresolved' then
    perform canonry.mark_failed(l.task, l.account, c.candidate_id, coalesce(c.last_error, c.why))
      from canonry.candidate c join canonry.line l using (line_id)
      where c.candidate_id = p_candidate_id and c.state = 'parked' and c.why = 'failed';
  end if;
  return v_outcome;
end
$$;

-- Who: the operator's CLI, about the job of an account that failed for good or is missing.
-- Locks: the job row.
-- Why safe: a job is only a wake-up. There is one again under its key; what failed loses the key by
-- that, and the sweep drops it.
-- Audited as of candidate 0: it is about none.
create or replace function canonry.retry_job(
  p_task text, p_account text, p_actor text, p_reason text
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
begin
  if not exists (select 1 from canonry.kind where task = p_task) then
    return 'not_found';
  end if;
  perform canonry.wake(p_task, p_account, null, null, 'replace');
  insert into canonry.audit (actor, action, candidate_id, task, account, reason)
    values (p_actor, 'retry', 0, p_task, p_account, p_reason);
  return 'done';
end
$$;
