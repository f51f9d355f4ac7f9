-- Kernel functions that every candidate passes through. Locks are always taken in this order:
-- domain account row, line row, domain rows, job row, queue lock. A domain function that needs
-- an account row locks it before it calls in here. Submissions of several accounts in one transaction
-- take the job row of each first, but wait for none of these (try_wake_lock).
--
-- Every plpgsql function that a process calls says `set enable_seqscan = off set jit = off`; what it
-- calls in turn inherits that, at no cost of its own.
-- A session keeps the plans of a function. Made while a table was small, a plan reads it from end to
-- end, and goes on doing so until autovacuum has looked at the grown table, a minute or more into a
-- burst: every submission then reads all jobs. jit = off, because Postgres before 18 counts a scan
-- that cannot be avoided as so costly that it compiles the statement first.
-- That alone does not help where a small table makes another index, read from end to end, look as
-- good: `(x = y) is true` keeps a condition away from the indexes that are partial in it, and
-- statements of the engine, which join, are planned at each call (force_custom_plan).

-- Who: every function that leaves a candidate waiting; the sweep.
-- Locks: the job row of the key, last in the order; with a queue name also the queue lock (shared; see
-- remove_idle_queues) and the engine's queue row. The job row first: a group of submissions has it
-- already (try_wake_lock) when it comes to the queue row, and must not meet who goes the other way.
-- Why the loop: add_jobs with a key returns nothing and enqueues nothing when a worker locks the
-- keyed job between its two statements (graphile-worker #580). Swallowed, that is a candidate
-- without a wake-up.
-- Why not add_job: it wraps add_jobs, and its statements would be planned at each call as well.
-- p_mode: 'preserve_run_at' or 'replace'.
create or replace function canonry.wake(
  p_task text, p_account text, p_queue_name text, p_run_at timestamptz, p_mode text
) returns void language plpgsql
set enable_seqscan = off set jit = off set plan_cache_mode = force_custom_plan as $$
declare
  job_id bigint;
begin
  if p_queue_name is not null then
    perform 1 from graphile_worker._private_jobs where key = p_task || ':' || p_account for update;
    perform pg_advisory_xact_lock_shared(7161005377002);
  end if;
  for attempt in 1..100 loop
    select j.id into job_id from graphile_worker.add_jobs(
      array[(p_task, json_build_object('account', p_account), p_queue_name, p_run_at, null,
        p_task || ':' || p_account, null, null)::graphile_worker.job_spec],
      p_mode = 'preserve_run_at'
    ) j;
    if job_id is not null then
      return;
    end if;
  end loop;
  raise exception 'no wake-up could be enqueued for % %', p_task, p_account;
end
$$;

-- Who: the submit function of a domain that commits several accounts' submissions in one
-- transaction, for each of them, after the domain account row and before anything is written.
-- Locks: the job row of the key, unless somebody has it.
-- Index: unique job key, unique (account, task), candidate_unresolved.
-- Why: a transaction that keeps the rows of several accounts must not wait for one of them. The
-- engine completes jobs in batches, in no order; a snooze and a submission of the same accounts
-- could wait for each other in a circle.
-- Returns false while somebody else has the row, and where somebody else may be about to create it: a
-- line with a candidate can be snoozed, handed over, swept. The submission is then made by itself.
create or replace function canonry.try_wake_lock(p_task text, p_account text) returns boolean
language plpgsql as $$
declare
  v_key text := p_task || ':' || p_account;
begin
  if exists (select 1 from graphile_worker._private_jobs where key = v_key) then
    perform 1 from graphile_worker._private_jobs where key = v_key for update skip locked;
    return found;
  end if;
  return not exists (
    select 1 from canonry.line l join canonry.candidate c using (line_id)
    where l.account = p_account and l.task = p_task and c.resolved_at is null
  );
end
$$;

-- Who: a function of a domain that leaves candidates of several accounts waiting, last in its
-- transaction: submissions, snoozes.
-- Locks: with a queue name, the queue lock (shared); then the job rows, in one statement. Submissions
-- have them already (try_wake_lock). A snooze may wait here for a submission of one of its accounts,
-- which waits for nobody, and for a batch of completions; should that wait for it in turn, the
-- worker's lock timeout ends before Postgres looks for circles, and the snooze gives way.
-- Why: one call of the engine for all of them costs a tenth of a call for each.
-- p_queue_names, p_run_ats: of each account, in the same order; null for none, and for now.
-- p_mode: 'preserve_run_at' or 'replace'; an account that is named twice is woken once.
create or replace function canonry.wake_all(
  p_task text, p_accounts text[], p_queue_names text[], p_run_ats timestamptz[], p_mode text
) returns void language plpgsql
set enable_seqscan = off set jit = off set plan_cache_mode = force_custom_plan as $$
declare
  v_left record;
begin
  if cardinality(array_remove(p_queue_names, null)) > 0 then
    perform pg_advisory_xact_lock_shared(7161005377002);
  end if;
  for v_left in
    with given as (
      select distinct on (account) account, queue_name, run_at
      from unnest(p_accounts, p_queue_names, p_run_ats) i (account, queue_name, run_at)
      order by account, run_at nulls first
    ), woken as (
      select key from graphile_worker.add_jobs(array(
        select (p_task, json_build_object('account', account), queue_name, run_at, null,
          p_task || ':' || account, null, null)::graphile_worker.job_spec from given
      ), p_mode = 'preserve_run_at')
    )
    select account, queue_name, run_at from given
    where p_task || ':' || account not in (select key from woken where key is not null)
  loop
    -- as in wake: the engine enqueues nothing when a worker locks the job between two statements
    perform canonry.wake(p_task, v_left.account, v_left.queue_name, v_left.run_at, p_mode);
  end loop;
end
$$;

-- Who: submit; the submit function of a domain that wakes several accounts together.
-- Locks: none beyond the new rows; the caller holds the account row, so candidates of one
-- account get their ids in commit order.
-- Index: unique (account, task).
create or replace function canonry.add_candidate(p_task text, p_account text) returns bigint
language plpgsql as $$
declare
  v_line_id bigint;
  v_candidate_id bigint;
begin
  select line_id into v_line_id from canonry.line where task = p_task and account = p_account;
  if v_line_id is null then
    insert into canonry.line (task, account) values (p_task, p_account)
      on conflict (account, task) do update set task = excluded.task
      returning line_id into v_line_id;
  end if;
  insert into canonry.candidate (line_id) values (v_line_id)
    returning candidate_id into v_candidate_id;
  return v_candidate_id;
end
$$;

-- Who: the submit function of a domain, in its transaction.
-- Locks: as add_candidate, then as wake.
-- Why safe: candidate and wake-up commit together (K1). preserve_run_at does not cut short a
-- retry that the head of the line is waiting for.
create or replace function canonry.submit(
  p_task text, p_account text, p_queue_name text
) returns bigint language plpgsql as $$
declare
  v_candidate_id bigint := canonry.add_candidate(p_task, p_account);
begin
  perform canonry.wake(p_task, p_account, p_queue_name, null, 'preserve_run_at');
  return v_candidate_id;
end
$$;

-- Who: claim, and every function that has just resolved the head of a line it holds.
-- Locks: the caller holds the line row, so the answer and the release are one decision: a
-- candidate that commits later brings a wake-up that finds the line free.
-- Then, of a head that is not due, its row and the job row.
-- Index: candidate_unresolved.
-- Returns the head; candidate_id is null when the line is empty. An empty line is free
-- afterwards, and so is one whose head waits for a later time or for a person.
-- A head that is not due yet gets its wake-up back: the one that led here was brought forward for
-- another reason (a person retried what stands behind it; the clock of the database went back).
create or replace function canonry.next_head(p_line_id bigint, p_fence bigint)
returns canonry.head language plpgsql as $$
declare
  head canonry.head;
  v_line canonry.line;
begin
  select p_line_id, p_fence, c.candidate_id, c.attempts, c.failures,
         c.state = 'waiting' and c.next_attempt_at <= clock_timestamp(), c.submitted_at
    into head
    from canonry.candidate c
    where c.line_id = p_line_id and c.resolved_at is null
    order by c.candidate_id
    limit 1;
  if head.candidate_id is null or not head.due then
    update canonry.line set holder = null, claimed_at = null where line_id = p_line_id
      returning * into v_line;
  end if;
  if not head.due then
    -- with the candidate's row, as look_now: what makes it due meanwhile is not put off again
    perform canonry.wake(v_line.task, v_line.account, null, c.next_attempt_at, 'replace')
      from (
        select next_attempt_at from canonry.candidate
          where candidate_id = head.candidate_id and (state = 'waiting') is true
          for no key update
      ) c;
  end if;
  return head;
end
$$;

-- Who: the drain of a wake-up.
-- Locks: the line row (no key update: submits that only reference the line do not wait), then as
-- next_head.
-- Index: unique (account, task), candidate_unresolved.
-- Why safe: raises the fence, so whoever held the line before can no longer write (K3). A line
-- that a live worker holds is left alone: the holder looks at the line once more, under this
-- row lock, before it lets go.
-- Returns null when another worker holds the line.
create or replace function canonry.claim(
  p_task text, p_account text, p_holder text, p_claim_seconds double precision
) returns canonry.head language plpgsql as $$
declare
  v_line_id bigint;
  v_fence bigint;
begin
  update canonry.line
    set fence = fence + 1, holder = p_holder, claimed_at = clock_timestamp()
    where task = p_task and account = p_account
      and (holder is null
        or claimed_at < clock_timestamp() - make_interval(secs => p_claim_seconds))
    returning line_id, fence into v_line_id, v_fence;
  if v_line_id is null then
    return null;
  end if;
  return canonry.next_head(v_line_id, v_fence);
end
$$;

-- Who: every function that resolves, retries or parks.
-- Locks: the line row, when the fence still holds.
-- Why the holder too: letting go of a line leaves its fence; a write whose answer was given up as
-- lost, and which the server runs only now, must not act on a line that was let go meanwhile.
-- Returns false when the claim was overtaken: the caller then changes nothing (K3).
create or replace function canonry.holds(p_line_id bigint, p_fence bigint)
returns boolean language plpgsql as $$
begin
  perform 1 from canonry.line
    where line_id = p_line_id and fence = p_fence and holder is not null for no key update;
  return found;
end
$$;

-- Who: a domain's resolution function, in its transaction, after holds().
-- Why safe: conditional on the exact source state.
create or replace function canonry.resolve(p_candidate_id bigint, p_state text, p_why text)
returns void language plpgsql as $$
begin
  update canonry.candidate
    set state = p_state, why = p_why, resolved_at = clock_timestamp()
    where candidate_id = p_candidate_id and state = 'waiting';
  if not found then
    raise exception 'candidate % is not waiting', p_candidate_id;
  end if;
end
$$;

-- Who: a domain's resolution function, in its transaction, after holds(), when one decision
-- settles several candidates at once: the unresolved ones of the line in order, up to and
-- including p_through (null: all of them).
-- Index: candidate_unresolved.
-- Returns how many there were.
create or replace function canonry.resolve_line(
  p_line_id bigint, p_through bigint, p_state text, p_why text
) returns integer language plpgsql as $$
declare
  v_count integer;
begin
  update canonry.candidate
    set state = p_state, why = p_why, resolved_at = clock_timestamp()
    where line_id = p_line_id and resolved_at is null
      and (p_through is null or candidate_id <= p_through);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Who: a domain that has to look again later. Waiting is not a job failure: what failed before
-- has passed.
-- Locks: the line row, then the job row.
-- Why safe: the reason, the time and the wake-up commit together. The wake-up has no queue
-- name, so a waiting line costs no queue row. The line is free meanwhile.
-- p_wake: false for a caller that wakes several lines together, in the same transaction (wake_all).
-- Returns false when the claim was overtaken; otherwise the account and the time of its next look.
drop function if exists canonry.snooze(bigint, bigint, bigint, double precision, text, text);
create or replace function canonry.snooze(
  p_line_id bigint, p_fence bigint, p_candidate_id bigint,
  p_delay_seconds double precision, p_why text, p_last_error text, p_wake boolean default true,
  out held boolean, out account text, out run_at timestamptz
) language plpgsql as $$
declare
  v_task text;
begin
  run_at := clock_timestamp() + make_interval(secs => p_delay_seconds);
  update canonry.line l set holder = null, claimed_at = null
    where l.line_id = p_line_id and l.fence = p_fence and l.holder is not null
    returning l.task, l.account into v_task, account;
  held := v_task is not null;
  if not held then
    return;
  end if;
  update canonry.candidate
    set attempts = attempts + 1, failures = 0, why = p_why, last_error = p_last_error,
        next_attempt_at = run_at
    where candidate_id = p_candidate_id and state = 'waiting';
  if p_wake then
    perform canonry.wake(v_task, account, null, run_at, 'replace');
  end if;
end
$$;

-- Who: a drain that stops before its line is empty (fairness, shutdown).
-- Locks: the line row, then the job row.
-- Returns false when the claim was overtaken.
create or replace function canonry.hand_over(
  p_line_id bigint, p_fence bigint, p_queue_name text
) returns boolean language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_task text;
  v_account text;
begin
  update canonry.line set holder = null, claimed_at = null
    where line_id = p_line_id and fence = p_fence and holder is not null
    returning task, account into v_task, v_account;
  if v_task is null then
    return false;
  end if;
  perform canonry.wake(v_task, v_account, p_queue_name, null, 'replace');
  return true;
end
$$;

-- Who: a domain that learned something about a line from outside (a request, an event).
-- Locks: the head's row, then the job row.
-- Makes the head due now and wakes its line.
create or replace function canonry.look_now(p_task text, p_account text)
returns void language plpgsql as $$
begin
  update canonry.candidate set next_attempt_at = clock_timestamp()
    where candidate_id = (
      select c.candidate_id from canonry.candidate c
      where c.line_id = (
          select line_id from canonry.line where task = p_task and account = p_account
        ) and c.resolved_at is null
      order by c.candidate_id limit 1
    ) and (state = 'waiting') is true and next_attempt_at > clock_timestamp();
  perform canonry.wake(p_task, p_account, null, null, 'replace');
end
$$;
