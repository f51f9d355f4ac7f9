-- Lab only: records every change of the rows that the checker reasons about, in the transaction
-- that makes it. Who wrote is the session's role: each process of the lab has its own.
create schema lab;

create table lab.change (
  seq bigint generated always as identity primary key,
  txid text not null default pg_current_xact_id()::text,
  at timestamptz not null default clock_timestamp(),
  writer text not null default session_user,
  relation text not null,
  key text not null,
  before jsonb,
  after jsonb,
  head boolean
);

create function lab.candidate_row(c canonry.candidate) returns jsonb language sql as $$
  select case when c.candidate_id is not null then jsonb_build_object(
    'line_id', c.line_id::text, 'state', c.state, 'why', c.why, 'attempts', c.attempts,
    'failures', c.failures, 'resolved', c.resolved_at is not null
  ) end
$$;

create function lab.record_candidate() returns trigger language plpgsql as $$
declare
  v_before jsonb := case when tg_op <> 'INSERT' then lab.candidate_row(old) end;
  v_after jsonb := case when tg_op <> 'DELETE' then lab.candidate_row(new) end;
begin
  -- a second resolution may write the same words again
  if v_before is distinct from v_after or (v_before ->> 'resolved')::boolean then
    insert into lab.change (relation, key, before, after, head)
    values (
      'candidate', coalesce(new.candidate_id, old.candidate_id)::text, v_before, v_after,
      not exists (
        select 1 from canonry.candidate o
        where o.line_id = coalesce(new.line_id, old.line_id) and o.resolved_at is null
          and o.candidate_id < coalesce(new.candidate_id, old.candidate_id)
      )
    );
  end if;
  return null;
end
$$;
create trigger lab_record after insert or update or delete on canonry.candidate
  for each row execute function lab.record_candidate();

create function lab.delta_row(d guardian.delta) returns jsonb language sql as $$
  select case when d.account_id is not null then jsonb_build_object(
    'account_id', d.account_id, 'nonce', d.nonce, 'candidate_id', d.candidate_id::text,
    'status', d.status, 'prev', d.prev_commitment, 'next', d.new_commitment,
    'ack', d.ack_signature,
    'evidence', array[d.retry_count, d.divergence_count, d.abandon_confirm_count]
  ) end
$$;

create function lab.record_delta() returns trigger language plpgsql as $$
declare
  v_before jsonb := case when tg_op <> 'INSERT' then lab.delta_row(old) end;
  v_after jsonb := case when tg_op <> 'DELETE' then lab.delta_row(new) end;
begin
  if v_before is distinct from v_after then
    insert into lab.change (relation, key, before, after)
    values (
      'delta', coalesce(new.account_id, old.account_id) || '/' || coalesce(new.nonce, old.nonce),
      v_before, v_after
    );
  end if;
  return null;
end
$$;
create trigger lab_record after insert or update or delete on guardian.delta
  for each row execute function lab.record_delta();

create function lab.record_account() returns trigger language plpgsql as $$
declare
  v_before jsonb := case when tg_op <> 'INSERT' then
    jsonb_build_object('commitment', old.commitment) end;
  v_after jsonb := case when tg_op <> 'DELETE' then
    jsonb_build_object('commitment', new.commitment) end;
begin
  if v_before is distinct from v_after then
    insert into lab.change (relation, key, before, after)
    values ('account', coalesce(new.account_id, old.account_id), v_before, v_after);
  end if;
  return null;
end
$$;
create trigger lab_record after insert or update or delete on guardian.account
  for each row execute function lab.record_account();

create function lab.line_row(l canonry.line) returns jsonb language sql as $$
  select case when l.line_id is not null then jsonb_build_object(
    'task', l.task, 'account', l.account, 'fence', l.fence, 'holder', l.holder,
    'claimed_at', extract(epoch from l.claimed_at) * 1000
  ) end
$$;

create function lab.record_line() returns trigger language plpgsql as $$
declare
  v_before jsonb := case when tg_op <> 'INSERT' then lab.line_row(old) end;
  v_after jsonb := case when tg_op <> 'DELETE' then lab.line_row(new) end;
begin
  if v_before is distinct from v_after then
    insert into lab.change (relation, key, before, after)
    values ('line', coalesce(new.line_id, old.line_id)::text, v_before, v_after);
  end if;
  return null;
end
$$;
create trigger lab_record after insert or update or delete on canonry.line
  for each row execute function lab.record_line();

create function lab.record_worker() returns trigger language plpgsql as $$
begin
  insert into lab.change (relation, key, before, after)
  values (
    'worker', coalesce(new.worker_id, old.worker_id),
    case when tg_op <> 'INSERT' then '{}'::jsonb end,
    case when tg_op <> 'DELETE' then '{}'::jsonb end
  );
  return null;
end
$$;
create trigger lab_record after insert or delete on canonry.worker
  for each row execute function lab.record_worker();

-- At the commit that leaves a candidate waiting there is somebody who looks at it: a runnable
-- wake-up of its line, or a holder, who looks once more before it lets go.
create function lab.expect_wake_up() returns trigger language plpgsql as $$
begin
  if not exists (
    select 1 from canonry.candidate c join canonry.line l using (line_id)
    where c.candidate_id = new.candidate_id and c.state = 'waiting' and l.holder is null
  ) then
    return null;
  end if;
  if not exists (
    select 1 from canonry.line l join graphile_worker.jobs j on j.key = l.task || ':' || l.account
    where l.line_id = new.line_id and j.attempts < j.max_attempts
  ) then
    insert into lab.change (relation, key) values ('unwoken', new.candidate_id::text);
  end if;
  return null;
end
$$;
create constraint trigger lab_wake_up after insert or update on canonry.candidate
  deferrable initially deferred for each row execute function lab.expect_wake_up();

-- At each commit what halted, and only that, has a job that failed for good. A candidate that its
-- policy parked keeps its own until a person has looked.
create function lab.expect_marker() returns trigger language plpgsql as $$
begin
  if exists (
    select 1 from canonry.candidate c
    where c.candidate_id = new.candidate_id and c.state <> 'parked'
      and (c.state = 'halted') <> exists (
        select 1 from graphile_worker.jobs j
        where j.key = 'failed:' || c.candidate_id and j.attempts >= j.max_attempts
      )
  ) then
    insert into lab.change (relation, key) values ('marker', new.candidate_id::text);
  end if;
  return null;
end
$$;
create constraint trigger lab_marker after insert or update on canonry.candidate
  deferrable initially deferred for each row execute function lab.expect_marker();

-- The sweep should find nothing to do.
alter function canonry.sweep(double precision) rename to sweep_of_the_kernel;
create function canonry.sweep(p_stale_seconds double precision) returns integer
language plpgsql as $$
declare
  v_woken integer := canonry.sweep_of_the_kernel(p_stale_seconds);
begin
  if v_woken > 0 then
    insert into lab.change (relation, key) values ('swept', v_woken::text);
  end if;
  return v_woken;
end
$$;
