-- Guardian: deltas that were given up but may still land (protocol §4.8, reconcile).

-- Who: the reconcile task. Reads what could still become canonical, and forgets retained deltas
-- whose time is over (an abandoned one stays as history).
-- Locks: none but the deleted rows.
-- Index: delta_unresolved.
-- Returns nothing while a candidate is alive: that one is looked at first.
create or replace function guardian.reconcilable(
  p_account_id text, p_ttl_seconds double precision
) returns table (
  nonce bigint, candidate_id bigint, new_commitment text, stored_commitment text,
  reconcile_count integer, age_seconds double precision
) language plpgsql as $$
declare
  v_oldest timestamptz := clock_timestamp() - make_interval(secs => p_ttl_seconds);
begin
  delete from guardian.delta d
    where d.account_id = p_account_id and d.status = 'retained' and d.status_timestamp < v_oldest;
  return query
    select d.nonce, d.candidate_id, d.new_commitment, a.commitment, d.reconcile_count,
           extract(epoch from clock_timestamp() - d.status_timestamp)::double precision
    from guardian.delta d join guardian.account a using (account_id)
    where d.account_id = p_account_id and d.status in ('retained', 'discarded')
      and d.status_timestamp >= v_oldest
      and d.prev_commitment = a.commitment and d.result_state is not null
      and not exists (
        select 1 from guardian.delta c
        where c.account_id = p_account_id and c.status = 'candidate'
      );
end
$$;

-- Who: the reconcile task, when the chain shows the result of a delta that was given up.
-- Locks: the account row, then the delta row.
-- Why safe: conditional on the exact status and on the account being at the delta's base; a
-- second call finds neither. No fence: the candidate is resolved, nobody holds it.
-- Returns whether the delta became canonical.
create or replace function guardian.reconcile_delta(p_account_id text, p_nonce bigint)
returns boolean language plpgsql as $$
declare
  v_delta guardian.delta;
begin
  perform 1 from guardian.account where account_id = p_account_id for no key update;
  select * into v_delta from guardian.delta
    where account_id = p_account_id and nonce = p_nonce
      and status in ('retained', 'discarded') and result_state is not null
    for update;
  if v_delta.account_id is null then
    return false;
  end if;
  if exists (
    select 1 from guardian.delta where account_id = p_account_id and status = 'candidate'
  ) then
    return false;
  end if;
  if not guardian.move_account(v_delta.prev_commitment, v_delta) then
    return false;
  end if;
  update guardian.delta
    set status = 'canonical', status_reason = null, status_timestamp = now(),
        result_state = null, result_signers = null
    where account_id = p_account_id and nonce = p_nonce;
  delete from guardian.proposal
    where account_id = p_account_id and commitment = v_delta.summary_commitment;
  insert into canonry.audit (actor, action, candidate_id, task, account, reason)
    values ('policy', 'reconcile', v_delta.candidate_id, 'canonicalize', p_account_id,
      'landed after it was given up');
  return true;
end
$$;

-- Who: the reconcile task, when the chain does not show any of them yet.
-- Schedules the next look and counts this one.
create or replace function guardian.reconcile_later(
  p_account_id text, p_delay_seconds double precision
) returns void language plpgsql as $$
begin
  update guardian.delta set reconcile_count = reconcile_count + 1
    where account_id = p_account_id and status in ('retained', 'discarded');
  perform canonry.wake(
    'reconcile', p_account_id, null,
    clock_timestamp() + make_interval(secs => p_delay_seconds), 'replace'
  );
end
$$;
