-- Liveness: a worker that stops renewing its heartbeat loses its lines and its jobs.

-- Who: retire, take_over, free_orphans.
-- Locks: the job rows, then their queue rows.
-- Frees the jobs and queues that the engine has locked for workers that are gone. Who is thought to
-- be gone may come back, or may still be ending what it runs, and the engine's completion is not
-- fenced: it deletes the job by its number, though the job may have become the wake-up of newer work.
-- So the job goes on under a new number, and the late completion finds nothing.
create or replace function canonry.unlock_workers(p_worker_ids text[])
returns void language plpgsql as $$
begin
  update graphile_worker._private_jobs
    set id = default, locked_at = null, locked_by = null
    where locked_by = any (p_worker_ids);
  perform graphile_worker.force_unlock_workers(p_worker_ids);
end
$$;

-- Who: a worker that stops on purpose, after its last job, and reap for the silent ones.
-- Locks: the lines that the worker holds, in the order in which groups of writes lock theirs,
-- then job rows.
-- Index: line_held.
-- Why safe: freeing a line raises its fence, so the worker, should it still be alive, can no
-- longer write under its old claim.
-- Returns how many lines were taken from it.
create or replace function canonry.retire(p_worker_id text)
returns integer language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_lines integer;
begin
  delete from canonry.worker where worker_id = p_worker_id;
  with held as (
    select line_id from canonry.line where holder = p_worker_id
      order by account collate "C", task for no key update
  ), freed as (
    update canonry.line l set fence = l.fence + 1, holder = null, claimed_at = null
      from held where l.line_id = held.line_id
      returning l.task, l.account
  )
  select count(canonry.wake(task, account, null, null, 'replace')) into v_lines from freed;
  perform canonry.unlock_workers(array[p_worker_id]);
  return v_lines;
end
$$;

-- Who: each worker process, twice a second. Renews its own row (created at start, and again when
-- a sweep has removed it: a paused process that came back works on under new claims); frees the
-- lines it holds without knowing (the answer to a claim was lost on the way); and retires the
-- workers that went silent. Doing it twice, or to a worker that is only slow, is harmless.
-- Locks: as retire; rows of workers that someone else is retiring are skipped.
-- Index: line_held.
-- p_lines: the lines this worker is at work on.
-- Why the start time: after a restart of the database every heartbeat is old, though its worker
-- may be alive; it gets the time to say so.
-- Returns the workers that were retired.
create or replace function canonry.beat(
  p_worker_id text, p_silent_seconds double precision, p_lines bigint[]
) returns setof text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_silence interval := make_interval(secs => p_silent_seconds);
  v_count integer;
  v_worker text;
begin
  insert into canonry.worker (worker_id) values (p_worker_id)
    on conflict (worker_id) do update set beat_at = clock_timestamp();
  with lost as (
    select line_id from canonry.line
      where holder = p_worker_id and claimed_at < clock_timestamp() - v_silence
        and line_id <> all (p_lines)
      order by account collate "C", task for no key update
  ), freed as (
    update canonry.line l set fence = l.fence + 1, holder = null, claimed_at = null
      from lost where l.line_id = lost.line_id
      returning l.task, l.account
  )
  select count(canonry.wake(task, account, null, null, 'replace')) into v_count from freed;
  if pg_postmaster_start_time() > clock_timestamp() - v_silence * 2 then
    return;
  end if;
  for v_worker in
    select worker_id from canonry.worker
      where beat_at < clock_timestamp() - v_silence
      for update skip locked
  loop
    perform canonry.retire(v_worker);
    return next v_worker;
  end loop;
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
  perform canonry.retire(holder) from (
    select distinct l.holder from canonry.line l
      where l.holder is not null and l.claimed_at < v_before
        and not exists (select 1 from canonry.worker w where w.worker_id = l.holder)
      order by l.holder
  ) orphans;
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
-- took over.
-- Restores the markers of halted candidates, and drops superseded wake-ups that ended failed.
-- Index: candidate_due (a bounded piece, longest due first), candidate_halted, unique job key.
create or replace function canonry.sweep(p_stale_seconds double precision)
returns integer language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_before timestamptz := clock_timestamp() - make_interval(secs => p_stale_seconds);
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
      select 1 from graphile_worker.jobs j
      where j.key = v_line.task || ':' || v_line.account and j.attempts < j.max_attempts
        and (j.locked_at is not null
          or j.run_at < clock_timestamp() + make_interval(secs => p_stale_seconds))
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
-- Locks: the queue lock, exclusively and only if it is free this moment: it excludes open
-- submits, whose job may name a queue row that no committed job names yet. The engine's own
-- clean-up lacks that, and the job of such a submit then never runs.
-- Returns how many rows were removed.
-- Why a hash join: as free_queues. Read for each queue, the jobs keep the lock, and all submits
-- waiting, for seconds.
create or replace function canonry.remove_idle_queues(p_limit integer)
returns integer language plpgsql
set enable_seqscan = off set jit = off set enable_nestloop = off as $$
declare
  v_removed integer;
begin
  if not pg_try_advisory_xact_lock(7161005377002) then
    return 0;
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
