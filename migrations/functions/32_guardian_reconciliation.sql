-- Guardian: deltas that were given up but may still land (protocol §4.8, reconcile).

drop function if exists guardian.given_up_chain(text);

-- Who: reconcilable and reconcile_delta.
-- Index: delta_unresolved (few rows an account).
-- The deltas that were given up and could follow the canonical state, each on the result of the one
-- before: with pipelined candidates a whole chain of them may have been parked. What was submitted
-- again under another nonce is one step all the same: the chain takes it once.
create or replace function guardian.given_up_steps(p_account_id text)
returns table (
  step integer, nonce bigint, prev_commitment text, new_commitment text,
  reconcile_count integer, status_timestamp timestamptz
) language sql stable as $$
  with recursive given_up as materialized (
    select distinct on (d.prev_commitment, d.new_commitment)
           d.nonce, d.prev_commitment, d.new_commitment, d.reconcile_count, d.status_timestamp
    from guardian.delta d
    where d.account_id = p_account_id and d.status in ('retained', 'discarded')
      and d.result_state is not null
    order by d.prev_commitment, d.new_commitment, d.status = 'retained' desc, d.candidate_id desc
  ), steps as (
    select 1 as step, g.*
      from given_up g
      join guardian.account a on a.account_id = p_account_id and a.commitment = g.prev_commitment
    union
    select s.step + 1, g.*
      from steps s join given_up g on g.prev_commitment = s.new_commitment
      where s.step < 1000
  )
  select * from steps;
$$;

-- Who: the reconcile task. Reads what could still become canonical, and forgets retained deltas
-- whose time is over; an abandoned one stays as history, without the state it would have led to.
-- Locks: none but the rows it deletes and changes.
-- Returns nothing while a candidate is alive: that one is looked at first. What it says of counts and
-- ages is for processes of the version before.
create or replace function guardian.reconcilable(
  p_account_id text, p_ttl_seconds double precision
) returns table (
  nonce bigint, new_commitment text, reconcile_count integer, age_seconds double precision
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_oldest timestamptz := clock_timestamp() - make_interval(secs => p_ttl_seconds);
begin
  delete from guardian.delta d
    where d.account_id = p_account_id and d.status = 'retained' and d.status_timestamp < v_oldest;
  update guardian.delta d set result_state = null, result_signers = null
    where d.account_id = p_account_id and d.status = 'discarded' and d.status_timestamp < v_oldest
      and d.result_state is not null;
  if exists (
    select 1 from guardian.delta c where c.account_id = p_account_id and c.status = 'candidate'
  ) then
    return;
  end if;
  return query
    select g.nonce, g.new_commitment, g.reconcile_count,
           extract(epoch from clock_timestamp() - g.status_timestamp)::double precision
    from guardian.given_up_steps(p_account_id) g
    where g.status_timestamp >= v_oldest;
end
$$;

-- Who: the reconcile task, when the chain shows the result of a delta that was given up.
-- Locks: the account row, then the delta rows.
-- Why safe: conditional on the exact status and on an unbroken chain from the canonical state; a
-- second call finds neither. No fence: the candidates are resolved, nobody holds them.
-- p_landed: the commitment on chain. Everything on the way to it has landed with it.
-- Returns how many deltas became canonical.
create or replace function guardian.reconcile_delta(p_account_id text, p_landed text)
returns integer language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_base text;
  v_path bigint[];
  v_result guardian.delta;
begin
  select commitment into v_base
    from guardian.account where account_id = p_account_id for no key update;
  if exists (
    select 1 from guardian.delta where account_id = p_account_id and status = 'candidate'
  ) then
    return 0;
  end if;
  -- walk back from the landed result to the canonical state, along one way
  with recursive steps as materialized (
    select * from guardian.given_up_steps(p_account_id)
  ), back as (
    (select s.step, s.nonce, s.prev_commitment from steps s
      where s.new_commitment = p_landed order by s.step, s.nonce limit 1)
    union all
    select p.step, p.nonce, p.prev_commitment
      from back b cross join lateral (
        select s.* from steps s
          where s.new_commitment = b.prev_commitment and s.step = b.step - 1
          order by s.nonce limit 1
      ) p
  )
  select array_agg(nonce order by step desc) into v_path from back;
  select * into v_result from guardian.delta
    where account_id = p_account_id and nonce = v_path[1];
  if v_result.account_id is null or not guardian.move_account(v_base, v_result) then
    return 0;
  end if;
  delete from guardian.proposal p using guardian.delta d
    where d.account_id = p_account_id and d.nonce = any (v_path)
      and p.account_id = d.account_id and p.commitment = d.summary_commitment;
  insert into canonry.audit (actor, action, candidate_id, task, account, reason)
    select 'policy', 'reconcile', candidate_id, 'canonicalize', p_account_id,
      'landed after it was given up'
    from guardian.delta where account_id = p_account_id and nonce = any (v_path);
  update guardian.delta
    set status = 'canonical', status_reason = null, status_timestamp = now(),
        result_state = null, result_signers = null
    where account_id = p_account_id and nonce = any (v_path);
  return cardinality(v_path);
end
$$;

-- Who: a person's commands (canonry doctor, failed, retry), who may not read what deltas hold.
-- Index: delta_unresolved, unique job key.
-- The accounts with a delta that was given up, may still land, and no job looks after: it was deleted.
create or replace function guardian.unwatched_accounts()
returns setof text language sql stable set enable_seqscan = off set jit = off as $$
  select distinct d.account_id from guardian.delta d
    where d.status in ('retained', 'discarded')
      and (d.status = 'retained' or d.result_state is not null)
      and not exists (
        select 1 from graphile_worker._private_jobs j where j.key = 'reconcile:' || d.account_id
      )
    order by 1;
$$;

drop function if exists guardian.reconcile_later(text, double precision);

-- Who: the reconcile task, at its end.
-- Locks: the account row, delta rows, then the job row. With the account row locked, a delta that is
-- given up meanwhile is seen here, or makes its own look earlier afterwards.
-- Index: delta_unresolved.
-- Schedules the next look, as long as there is a delta that was given up and whose time is not over:
-- it may be able to follow the canonical state again later. A retained one has to be forgotten, an
-- abandoned one loses its state (reconcilable).
-- The youngest sets the pace: the interval for its first p_eager_seconds, then twice as much with
-- each look, up to p_max_seconds. The defaults, and p_ttl_seconds, are for processes of the version
-- before.
create or replace function guardian.reconcile_later(
  p_account_id text, p_interval_seconds double precision,
  p_ttl_seconds double precision default 86400,
  p_eager_seconds double precision default 900, p_max_seconds double precision default 600
) returns void language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_age double precision;
  v_looks integer;
  v_delay double precision := p_interval_seconds;
begin
  perform 1 from guardian.account where account_id = p_account_id for no key update;
  with looked as (
    update guardian.delta set reconcile_count = reconcile_count + 1
      where account_id = p_account_id
        and (status = 'retained' or status = 'discarded' and result_state is not null)
      returning extract(epoch from clock_timestamp() - status_timestamp) as age, reconcile_count
  )
  select min(age), min(reconcile_count) into v_age, v_looks from looked;
  if v_age is null then
    return;
  end if;
  if v_age >= p_eager_seconds then
    v_looks := v_looks - 1 - ceil(p_eager_seconds / p_interval_seconds)::integer;
    v_delay := least(
      p_interval_seconds * 2 ^ least(greatest(v_looks, 0), 16),
      greatest(p_max_seconds, p_interval_seconds)
    );
  end if;
  perform canonry.wake(
    'reconcile', p_account_id, null,
    clock_timestamp() + make_interval(secs => v_delay), 'replace'
  );
end
$$;
