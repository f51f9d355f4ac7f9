-- Liveness: a worker that stops renewing its heartbeat loses its lines and its jobs.

-- Who: retire_all, take_over, free_orphans.
-- Locks: the job rows, then the queue rows, of which it leaves out what somebody has at this moment: a
-- submission gives the account a new wake-up anyway, a late completion ends the job, and what a person
-- has is found by a later sweep (free_orphans). It waits for nobody, and nobody for the workers' lines.
-- Frees the jobs and queues that the engine has locked for workers that are gone. Who is thought to
-- be gone may come back, or may still be ending what it runs, and the engine's completion is not
-- fenced: it deletes the job by its number, though the job may have become the wake-up of newer work.
-- So the job goes on under a new number, and the late completion finds nothing.
create or replace function canonry.unlock_workers(p_worker_ids text[])
returns void language sql as $$
  update graphile_worker._private_jobs
    set id = default, locked_at = null, locked_by = null
    where id = any (array(
      select id from graphile_worker._private_jobs where locked_by = any (p_worker_ids)
      for update skip locked
    ));
  update graphile_worker._private_job_queues
    set locked_at = null, locked_by = null
    where id = any (array(
      select id from graphile_worker._private_job_queues where locked_by = any (p_worker_ids)
      for update skip locked
    ));
$$;

-- Who: free_lines.
-- Locks: the lines that the workers hold, in the order in which groups of writes lock theirs, each
-- with its job row.
-- Index: line_held.
-- Why safe: freeing a line raises its fence, so the worker, should it still be alive, can no
-- longer write under its old claim.
-- p_before, p_but: only lines that were claimed before, and not these.
-- p_patient: waits for what somebody has; else a line that is locked, or whose job is, stays.
create or replace function canonry.free_held(
  p_worker_ids text[], p_before timestamptz, p_but bigint[], p_patient boolean
) returns integer language plpgsql as $$
declare
  v_line record;
  v_freed integer := 0;
begin
  for v_line in
    select line_id, holder, task, account from canonry.line
      where holder = any (p_worker_ids) and claimed_at < p_before and line_id <> all (p_but)
      order by account collate "C", task
  loop
    if not p_patient then
      perform 1 from canonry.line where line_id = v_line.line_id for no key update skip locked;
      continue when not found;
      if exists (
        select 1 from graphile_worker._private_jobs where key = v_line.task || ':' || v_line.account
      ) then
        perform 1 from graphile_worker._private_jobs
          where key = v_line.task || ':' || v_line.account for update skip locked;
        continue when not found;
      end if;
    end if;
    update canonry.line set fence = fence + 1, holder = null, claimed_at = null
      where line_id = v_line.line_id and holder = v_line.holder and claimed_at < p_before;
    continue when not found;
    perform canonry.wake(v_line.task, v_line.account, null, null, 'replace');
    v_freed := v_freed + 1;
  end loop;
  return v_freed;
end
$$;

-- Who: beat, retire_all.
-- A person who has one of the lines locked, in a transaction that stays open, must not keep the others
-- from going on, nor a worker from saying that it is alive: what cannot be had in time is left out. Of a
-- retired worker, which has no heartbeat row any more, free_orphans comes back to it; of a living one its
-- next heartbeat.
-- Returns how many lines were freed and woken.
create or replace function canonry.free_lines(
  p_worker_ids text[], p_before timestamptz, p_but bigint[]
) returns integer language plpgsql as $$
begin
  return canonry.free_held(p_worker_ids, p_before, p_but, true);
exception when lock_not_available or deadlock_detected then
  return canonry.free_held(p_worker_ids, p_before, p_but, false);
end
$$;

-- Who: retire, beat, free_orphans.
-- Locks: the heartbeat rows, then as free_lines for all of them in one order, then as unlock_workers.
create or replace function canonry.retire_all(p_worker_ids text[])
returns integer language plpgsql as $$
declare
  v_freed integer;
begin
  delete from canonry.worker where worker_id = any (p_worker_ids);
  v_freed := canonry.free_lines(p_worker_ids, 'infinity', '{}');
  perform canonry.unlock_workers(p_worker_ids);
  return v_freed;
end
$$;

-- Who: a worker that stops on purpose, after its last job.
-- Returns how many lines were taken from it.
create or replace function canonry.retire(p_worker_id text)
returns integer language plpgsql set enable_seqscan = off set jit = off as $$
begin
  return canonry.retire_all(array[p_worker_id]);
end
$$;

-- Who: each worker process, twice a second. Renews its own row (created at start, and again when
-- a sweep has removed it: a paused process that came back works on under new claims); frees the
-- lines it holds without knowing (the answer to a claim was lost on the way); and retires the
-- workers that went silent. Doing it twice, or to a worker that is only slow, is harmless.
-- Locks: as retire_all; rows of workers that someone else is retiring are skipped.
-- Index: line_held.
-- p_lines: the lines this worker is at work on.
-- Why the start time, and why one's own last heartbeat: after a restart of the database, a failover or
-- a stall every heartbeat is old, though its worker may be alive; it gets the time of one more
-- heartbeat to say so. Who was silent himself takes nobody for gone who was not silent for twice as
-- long.
-- Returns the workers that were retired.
create or replace function canonry.beat(
  p_worker_id text, p_silent_seconds double precision, p_lines bigint[]
) returns setof text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_silence interval := make_interval(secs => p_silent_seconds);
  v_own interval;
  v_silent text[];
begin
  select clock_timestamp() - beat_at into v_own
    from canonry.worker where worker_id = p_worker_id;
  insert into canonry.worker (worker_id) values (p_worker_id)
    on conflict (worker_id) do update set beat_at = clock_timestamp();
  if exists (
    select 1 from canonry.line
      where holder = p_worker_id and claimed_at < clock_timestamp() - v_silence
        and line_id <> all (p_lines)
  ) then
    perform canonry.free_lines(array[p_worker_id], clock_timestamp() - v_silence, p_lines);
  end if;
  if pg_postmaster_start_time() > clock_timestamp() - v_silence * 2 then
    return;
  end if;
  v_silence := greatest(v_silence, v_own * 2);
  v_silent := array(
    select worker_id from canonry.worker
      where beat_at < clock_timestamp() - v_silence
      for update skip locked
  );
  if cardinality(v_silent) > 0 then
    perform canonry.retire_all(v_silent);
    return query select unnest(v_silent);
  end if;
end
$$;

-- Who: each worker process, with every sweep of its own.
-- Returns the jobs that the engine has locked for it for longer than p_seconds.
create or replace function canonry.locked_jobs(p_worker_id text, p_seconds double precision)
returns table (job_id bigint, since timestamptz) language sql as $$
  select id, locked_at from graphile_worker._private_jobs
    where locked_by = p_worker_id
      and locked_at < clock_timestamp() - make_interval(secs => p_seconds);
$$;

-- Who: a worker that finds jobs locked in its name by a fetch that it had no answer to.
-- Locks: the job rows, then their queue rows, as the engine's own return of jobs.
-- Why safe: only what this worker has locked, and it runs none of them; should an answer come after
-- all, what it completes has another number by then (see unlock_workers).
-- Returns how many jobs there were.
create or replace function canonry.unlock_jobs(p_worker_id text, p_jobs bigint[])
returns bigint language sql as $$
  with freed as (
    update graphile_worker._private_jobs
      set id = default, locked_by = null, locked_at = null, attempts = greatest(attempts - 1, 0)
      where id = any (p_jobs) and locked_by = p_worker_id
      returning job_queue_id
  ), queues as (
    update graphile_worker._private_job_queues q set locked_by = null, locked_at = null
      from freed where q.id = freed.job_queue_id and q.locked_by = p_worker_id
  )
  select count(*) from freed;
$$;

-- Who: a process that knows to be alone on its database (the embedded one, at start).
-- Retires every worker there ever was, at once.
create or replace function canonry.take_over() returns void language sql as $$
  select canonry.retire(worker_id) from canonry.worker;
  select canonry.unlock_workers(array(
    select locked_by from graphile_worker.jobs where locked_by is not null
  ));
$$;

-- Who: free_orphans.
-- Frees queues whose holder runs no job of theirs. Nothing says which jobs a queue has, so both
-- tables are read once (a hash join), and not all jobs for each queue.
create or replace function canonry.free_queues(p_before timestamptz)
returns void language plpgsql
set enable_seqscan = off set jit = off set enable_nestloop = off as $$
begin
  update graphile_worker._private_job_queues q set locked_at = null, locked_by = null
    where q.locked_at < p_before
      and not exists (
        select 1 from graphile_worker._private_jobs j
        where j.job_queue_id = q.id and j.locked_by = q.locked_by
      );
end
$$;

-- Who: the sweep.
-- Frees what a crash or a zombie left behind: lines held, and jobs and queues locked, by pools that
-- have no heartbeat row (killed before their first heartbeat, or resumed after they were
-- retired), and queues whose holder runs no job of theirs (a zombie deleted it: completion is
-- not fenced in the engine, and the true holder's own completion then frees nothing).
-- Index: line_held.
-- Uses the engine's private tables for queues: there is no public view of them.
create or replace function canonry.free_orphans(p_stale_seconds double precision)
returns void language plpgsql as $$
declare
  v_before timestamptz := clock_timestamp() - make_interval(secs => p_stale_seconds);
begin
  perform canonry.retire_all(orphans.holders)
    from (
      select array_agg(distinct l.holder) as holders from canonry.line l
        where l.holder is not null and l.claimed_at < v_before
          and not exists (select 1 from canonry.worker w where w.worker_id = l.holder)
    ) orphans
    where orphans.holders is not null;
  perform canonry.unlock_workers(orphans.pools)
    from (
      select array_agg(distinct locked_by) as pools from (
        select locked_by from graphile_worker._private_jobs where locked_at < v_before
        union all
        select locked_by from graphile_worker._private_job_queues where locked_at < v_before
      ) held
      where not exists (select 1 from canonry.worker w where w.worker_id = held.locked_by)
    ) orphans
    where orphans.pools is not null;
  perform canonry.free_queues(v_before);
end
$$;

-- Who: each worker process every few seconds; an advisory lock lets one of them do it.
-- Finds due heads that nobody holds and that have no wake-up that is about to run, and wakes their
-- lines. It should find none: the count it returns is a metric, and every count is a bug elsewhere,
-- or a wake-up that failed so often while the database refused claims that the engine's own back-off
-- took over, or a drain that has waited for an answer for over a minute, or a statement of the engine
-- that was lost on its way: the job it was to complete, or to give back, and its queue stay locked for
-- a worker that is alive.
-- Restores the markers of halted candidates, and drops superseded wake-ups that ended failed.
-- Index: candidate_due (a bounded number of heads, longest due first; what stands behind them in their
-- lines is read too), candidate_halted, unique job key, primary key of queues. Superseded wake-ups have
-- no key: all jobs are read for them, as for the orphans.
create or replace function canonry.sweep(p_stale_seconds double precision)
returns integer language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_before timestamptz := clock_timestamp() - make_interval(secs => p_stale_seconds);
  -- a job that was fetched before this is at work, or was given back (kernelLimits.fetchedMs)
  v_fetched timestamptz := v_before - interval '5 seconds';
  v_woken integer := 0;
  v_head record;
  v_line canonry.line;
begin
  if not pg_try_advisory_xact_lock(7161005377003) then
    return 0;
  end if;
  perform canonry.free_orphans(p_stale_seconds);
  perform graphile_worker.complete_jobs(array(
    select j.id from graphile_worker.jobs j join canonry.kind k on k.task = j.task_identifier
      where j.key is null and j.attempts >= j.max_attempts and j.locked_at is null
  ));
  for v_head in
    select c.line_id, c.candidate_id, coalesce(c.last_error, c.why) as error
    from canonry.candidate c where c.state = 'halted'
  loop
    continue when exists (
      select 1 from graphile_worker.jobs j where j.key = 'failed:' || v_head.candidate_id
    );
    -- a person may have ended the halt since the list was made
    perform 1 from canonry.candidate
      where candidate_id = v_head.candidate_id and state = 'halted' for no key update skip locked;
    continue when not found;
    select * into strict v_line from canonry.line where line_id = v_head.line_id;
    perform canonry.mark_failed(v_line.task, v_line.account, v_head.candidate_id, v_head.error);
  end loop;
  -- one by one, each by its keys: joined, a backlog is read once for each of its lines
  for v_head in
    select c.line_id from canonry.candidate c
    where c.resolved_at is null and c.next_attempt_at < v_before and c.state = 'waiting'
      -- in this order: a deep line that is at work is asked nothing more
      and case
        when exists (
          select 1 from canonry.line l
          where l.line_id = c.line_id and l.claimed_at >= v_before - interval '1 minute'
        ) then false
        else c.candidate_id = (
          select elder.candidate_id from canonry.candidate elder
          where elder.line_id = c.line_id and elder.resolved_at is null
          order by elder.candidate_id limit 1
        )
      end
    order by c.next_attempt_at
    limit 1000
  loop
    select * into strict v_line from canonry.line where line_id = v_head.line_id;
    continue when exists (
      select 1 from graphile_worker._private_jobs j
      left join graphile_worker._private_job_queues q on q.id = j.job_queue_id
      where j.key = v_line.task || ':' || v_line.account and j.attempts < j.max_attempts
        and case
          -- nobody works on the line: what keeps its queue for long is not at work
          when j.locked_at is null then (q.locked_at < v_fetched) is not true
            and j.run_at < clock_timestamp() + make_interval(secs => p_stale_seconds)
          -- a job that runs is a wake-up, unless its claim is long over: it waits for an answer that
          -- will not come; so is one that was fetched lately
          else v_line.holder is null and j.locked_at >= v_fetched
        end
    );
    perform canonry.wake(v_line.task, v_line.account, null, null, 'replace');
    v_woken := v_woken + 1;
  end loop;
  return v_woken;
end
$$;

-- Who: each worker process every few seconds.
-- Removes queue rows that nothing uses: every fetch of the engine locks all of them, so idle
-- accounts would slow down every other one for ever.
-- Locks: the queue lock, exclusively: it excludes open submits, whose job may name a queue row that no
-- committed job names yet. The engine's own clean-up lacks that, and the job of such a submit then
-- never runs. Taken only if it is free this moment; where submits follow each other without a gap it
-- never is, so with many idle rows they are made to wait: 50 ms at most, and for the statement.
-- Returns how many rows were removed.
-- Why a hash join: as free_queues. Read for each queue, the jobs keep the lock, and all submits
-- waiting, for seconds.
create or replace function canonry.remove_idle_queues(p_limit integer)
returns integer language plpgsql
set enable_seqscan = off set jit = off set enable_nestloop = off as $$
declare
  v_removed integer;
begin
  -- no submit waits for a look at the jobs where nobody uses queues
  if not exists (select 1 from graphile_worker._private_job_queues where locked_at is null) then
    return 0;
  end if;
  if not pg_try_advisory_xact_lock(7161005377002) then
    if (
      select count(*) from (
        select 1 from graphile_worker._private_job_queues i
          where i.locked_at is null and not exists (
            select 1 from graphile_worker._private_jobs j where j.job_queue_id = i.id
          )
          limit p_limit * 2
      ) idle
    ) < p_limit * 2 then
      return 0;
    end if;
    perform set_config('lock_timeout', '50ms', true);
    begin
      perform pg_advisory_xact_lock(7161005377002);
    exception when lock_not_available then
      return 0;
    end;
  end if;
  delete from graphile_worker._private_job_queues q
    where q.id = any (array(
      select i.id from graphile_worker._private_job_queues i
      where i.locked_at is null
        and not exists (select 1 from graphile_worker._private_jobs j where j.job_queue_id = i.id)
      limit p_limit
      for update skip locked
    ));
  get diagnostics v_removed = row_count;
  return v_removed;
end
$$;
