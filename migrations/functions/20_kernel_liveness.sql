-- Liveness: a worker that stops renewing its heartbeat loses its lines and its jobs.

-- Who: each worker process, every second. Renews its row; creates it at start and when a
-- sweep has removed it (a paused process that came back works on under new claims).
create or replace function canonry.heartbeat(p_worker_id text)
returns void language sql as $$
  insert into canonry.worker (worker_id) values (p_worker_id)
    on conflict (worker_id) do update set beat_at = clock_timestamp();
$$;

-- Who: a worker that stops on purpose, after its last job, and the sweep for the silent ones.
-- Locks: the lines that the worker holds, then job rows.
-- Index: line_held.
-- Why safe: freeing a line raises its fence, so the worker, should it still be alive, can no
-- longer write under its old claim. force_unlock_workers frees jobs and named queues.
-- Returns how many lines were taken from it.
create or replace function canonry.retire(p_worker_id text)
returns integer language plpgsql as $$
declare
  v_lines integer;
begin
  delete from canonry.worker where worker_id = p_worker_id;
  perform graphile_worker.force_unlock_workers(array[p_worker_id]);
  with held as (
    select line_id from canonry.line where holder = p_worker_id
      order by line_id for no key update
  ), freed as (
    update canonry.line l set fence = l.fence + 1, holder = null, claimed_at = null
      from held where l.line_id = held.line_id
      returning l.task, l.account
  )
  select count(canonry.wake(task, account, null, null, 'replace')) into v_lines from freed;
  return v_lines;
end
$$;

-- Who: every worker process, every second; reaping twice is harmless.
-- Locks: an advisory lock so that one sweep runs at a time, then as retire().
-- Also retires pools that hold jobs without having a heartbeat row (killed before their first
-- heartbeat, or a paused process that locked one more job after it was retired).
-- Returns the workers that were retired.
create or replace function canonry.reap(p_silent_seconds double precision)
returns setof text language plpgsql as $$
declare
  v_worker text;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('canonry.reap', 0)) then
    return;
  end if;
  for v_worker in
    select worker_id from canonry.worker
      where beat_at < clock_timestamp() - make_interval(secs => p_silent_seconds)
    union
    select j.locked_by from graphile_worker.jobs j
      where j.locked_by is not null
        and j.locked_at < clock_timestamp() - make_interval(secs => p_silent_seconds)
        and not exists (select 1 from canonry.worker w where w.worker_id = j.locked_by)
  loop
    perform canonry.retire(v_worker);
    return next v_worker;
  end loop;
end
$$;

-- Who: every worker process, every few seconds.
-- Finds due heads that nobody holds and that have no runnable wake-up, and wakes their lines.
-- It should find none: the count it returns is a metric, and every count is a bug elsewhere.
-- Index: candidate_waiting, unique job key.
create or replace function canonry.sweep(p_stale_seconds double precision)
returns integer language sql as $$
  select count(canonry.wake(task, account, null, null, 'replace'))::integer
  from (
    select distinct on (c.line_id) l.task, l.account, c.next_attempt_at, l.holder, l.claimed_at
    from canonry.candidate c join canonry.line l using (line_id)
    where c.state = 'waiting'
    order by c.line_id, c.candidate_id
  ) head
  where (head.holder is null or head.claimed_at < clock_timestamp() - interval '1 minute')
    and head.next_attempt_at < clock_timestamp() - make_interval(secs => p_stale_seconds)
    and not exists (
      select 1 from graphile_worker.jobs j
      where j.key = head.task || ':' || head.account and j.attempts < j.max_attempts
    );
$$;
