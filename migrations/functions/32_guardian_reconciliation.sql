-- Guardian: deltas that were given up but may still land (protocol §4.8, reconcile).

-- Who: reconcilable and reconcile_delta.
-- Index: delta_unresolved (few rows an account).
-- The deltas that were given up and could follow the canonical state, each on the result of the one
-- before: with pipelined candidates a whole chain of them may have been parked.
create or replace function guardian.given_up_chain(p_account_id text)
returns table (delta guardian.delta, step integer) language sql stable as $$
  with recursive chain as (
    select d as delta, 1 as step
      from guardian.delta d join guardian.account a using (account_id)
      where d.account_id = p_account_id and d.status in ('retained', 'discarded')
        and d.result_state is not null and d.prev_commitment = a.commitment
    union all
    select n, c.step + 1
      from chain c join guardian.delta n
        on n.account_id = p_account_id and n.status in ('retained', 'discarded')
          and n.result_state is not null and n.prev_commitment = (c.delta).new_commitment
      where c.step < 1000
  )
  select delta, step from chain;
$$;

-- Who: the reconcile task. Reads what could still become canonical, and forgets retained deltas
-- whose time is over (an abandoned one stays as history).
-- Locks: none but the deleted rows.
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
  if exists (
    select 1 from guardian.delta c where c.account_id = p_account_id and c.status = 'candidate'
  ) then
    return;
  end if;
  return query
    select (g.delta).nonce, (g.delta).new_commitment, (g.delta).reconcile_count,
           extract(epoch from clock_timestamp() - (g.delta).status_timestamp)::double precision
    from guardian.given_up_chain(p_account_id) g
    where (g.delta).status_timestamp >= v_oldest;
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
  -- walk back from the landed result to the canonical state
  with recursive back as (
    select g.delta, g.step from guardian.given_up_chain(p_account_id) g
      where (g.delta).new_commitment = p_landed
    union all
    select g.delta, g.step from back b join guardian.given_up_chain(p_account_id) g
      on (g.delta).new_commitment = (b.delta).prev_commitment and g.step = b.step - 1
  )
  select array_agg(distinct (delta).nonce) into v_path from back;
  select * into v_result from guardian.delta
    where account_id = p_account_id and nonce = any (v_path) and new_commitment = p_landed
    limit 1;
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

drop function if exists guardian.reconcile_later(text, double precision);

-- Who: the reconcile task, at its end.
-- Locks: the account row, delta rows, then the job row. With the account row locked, a delta that is
-- given up meanwhile is seen here, or makes its own look earlier afterwards.
-- Index: delta_unresolved.
-- Schedules the next look, as long as there is a delta that was given up and whose time is not over:
-- it may be able to follow the canonical state again later. A retained one has to be forgotten.
-- The youngest sets the pace: the interval for its first p_eager_seconds, then twice as much with
-- each look, up to p_max_seconds. The defaults are for processes of the version before.
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
      where account_id = p_account_id and (status = 'retained' or status = 'discarded'
        and status_timestamp >= clock_timestamp() - make_interval(secs => p_ttl_seconds))
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
