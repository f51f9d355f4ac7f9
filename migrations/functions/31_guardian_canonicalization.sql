-- Guardian: what the canonicalization of a delta writes (protocol §4). Every function names the
-- fence. Lock order: account row, line row, delta rows, job rows.

-- Who: the claim and the functions below; joins the deltas of the line's first hundred candidates: a
-- deep line must not be sent whole with each of its promotions, and known_commitment finds the rest.
-- Index: delta_by_candidate, delta_candidates.
create or replace function guardian.delta_of(p_head canonry.head)
returns guardian.delta_head language sql as $$
  select p_head.line_id, p_head.fence, p_head.candidate_id, p_head.attempts, p_head.failures,
         p_head.due, d.nonce, d.prev_commitment, line.candidates, line.results,
         d.retry_count, d.divergence_count, d.abandon_confirm_count,
         extract(epoch from clock_timestamp() - p_head.submitted_at)::double precision,
         extract(epoch from clock_timestamp() - d.abandon_requested_at)::double precision
  from guardian.delta d
  cross join lateral (
    select array_agg(o.candidate_id order by o.candidate_id) as candidates,
           array_agg(o.new_commitment order by o.candidate_id) as results
    from (
      select candidate_id, new_commitment from guardian.delta
      where account_id = d.account_id and status = 'candidate'
      order by candidate_id limit 100
    ) o
  ) line
  where d.candidate_id = p_head.candidate_id;
$$;

-- Who: the canonicalize task, once a wake-up. See canonry.claim.
create or replace function guardian.claim_delta(
  p_account_id text, p_holder text, p_claim_seconds double precision
) returns guardian.delta_head language plpgsql set enable_seqscan = off set jit = off as $$
declare
  head canonry.head := canonry.claim('canonicalize', p_account_id, p_holder, p_claim_seconds);
begin
  if head.candidate_id is null then
    return null;
  end if;
  return guardian.delta_of(head);
end
$$;

-- Who: the canonicalize task, when the chain shows a commitment that its claim says nothing of.
-- Index: delta_candidates; delta_history, of which it reads the newest hundred: no node lags more.
-- through: the candidate that leads there, submitted after the claim. earlier: the account had this
-- commitment before, so the node that showed it lags, and the head has not been seen to land.
create or replace function guardian.known_commitment(
  p_account_id text, p_commitment text, out through bigint, out earlier boolean
) language sql stable as $$
  select (
    select min(candidate_id) from guardian.delta
    where account_id = p_account_id and status = 'candidate' and new_commitment = p_commitment
  ), exists (
    select 1 from (
      select d.prev_commitment, d.new_commitment from guardian.delta d
      where d.account_id = p_account_id and d.status = 'canonical'
      order by d.nonce desc limit 100
    ) past
    where p_commitment in (past.prev_commitment, past.new_commitment)
  );
$$;

drop function if exists guardian.park_followers(text, bigint);

-- Who: promote_delta, give_up_delta and follow_resolution, after they took the head out of the line.
-- Locks: line and delta rows, then the job row of the reconcile pass.
-- Index: delta_candidates, delta_unresolved, unique job key.
-- What was built on a delta that will not become canonical here has lost its base: those
-- candidates are parked and their deltas retained; what its client abandoned is discarded. One entry
-- of the audit tells of them all.
-- p_forget: retention is off; what would be retained goes.
-- The reconcile pass comes after p_reconcile_seconds, or earlier if it was to: what was just given
-- up does not wait until the back-off of older deltas is over, and does not put them off either.
create or replace function guardian.park_followers(
  p_account_id text, p_line_id bigint, p_forget boolean, p_reconcile_seconds double precision
) returns void language plpgsql as $$
declare
  v_at timestamptz := clock_timestamp() + make_interval(secs => p_reconcile_seconds);
  v_mode text := 'replace';
begin
  insert into canonry.audit (actor, action, candidate_id, task, account, reason)
    select 'policy', 'park', min(candidate_id), 'canonicalize', p_account_id,
      format('lost its base; parked up to candidate %s, %s in all', max(candidate_id), count(*))
    from guardian.delta
    where account_id = p_account_id and status = 'candidate'
    having count(*) > 0;
  perform canonry.resolve_line(p_line_id, null, 'parked', 'base_lost');
  if p_forget then
    delete from guardian.delta
      where account_id = p_account_id and status = 'candidate' and abandon_requested_at is null;
  end if;
  update guardian.delta
    set status = case when abandon_requested_at is null then 'retained' else 'discarded' end,
        status_reason = case when abandon_requested_at is null then 'diverged'
          else 'client_abandoned' end,
        status_timestamp = now()
    where account_id = p_account_id and status = 'candidate';
  if not exists (
    select 1 from guardian.delta
    where account_id = p_account_id and status in ('retained', 'discarded')
  ) then
    return;
  end if;
  if exists (
    select 1 from graphile_worker.jobs
    where key = 'reconcile:' || p_account_id and locked_at is null and run_at < v_at
  ) then
    v_mode := 'preserve_run_at';
  end if;
  perform canonry.wake('reconcile', p_account_id, null, v_at, v_mode);
end
$$;

-- Who: promote_delta and reconcile_delta, under the account row lock.
-- Moves the account to the result of a delta, from exactly its base: state, commitment, signer
-- set when it changed, release when the account now names another guardian. A result that stores no
-- signers leaves the account the ones it has by then.
-- Returns false when the account is no longer at the base.
create or replace function guardian.move_account(p_base text, p_result guardian.delta)
returns boolean language plpgsql as $$
begin
  update guardian.account a
    set commitment = p_result.new_commitment, state = p_result.result_state,
        signer_commitments = coalesce(p_result.result_signers, a.signer_commitments),
        auth_version = a.auth_version + (a.signer_commitments is distinct from
          coalesce(p_result.result_signers, a.signer_commitments))::integer,
        released_at = case when p_result.result_bound_here then a.released_at else now() end,
        updated_at = now()
    where account_id = p_result.account_id and commitment = p_base;
  return found;
end
$$;

-- Who: the canonicalize task, when the chain shows the result of a candidate of the line.
-- Locks: account row, line row, delta rows; for a parked line the job row of the reconcile pass.
-- p_through: that candidate. The ones before it have landed with it: the chain only moves along
-- the chain of commitments. All become canonical in order, in one transaction.
-- Returns the outcome and the next head: 'promoted', 'fenced' (the claim was overtaken; nothing
-- changed) or 'stale_base' (the account is no longer at the head's base: the line is parked).
create or replace function guardian.promote_delta(
  p_account_id text, p_line_id bigint, p_fence bigint, p_candidate_id bigint, p_through bigint,
  out outcome text, out next guardian.delta_head
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_base text;
  v_result guardian.delta;
begin
  perform 1 from guardian.account where account_id = p_account_id for no key update;
  if not canonry.holds(p_line_id, p_fence) then
    outcome := 'fenced';
    return;
  end if;
  select prev_commitment into strict v_base
    from guardian.delta where candidate_id = p_candidate_id;
  select * into strict v_result from guardian.delta where candidate_id = p_through;

  if guardian.move_account(v_base, v_result) then
    outcome := 'promoted';
    perform canonry.resolve_line(p_line_id, p_through, 'finalized', 'canonical');
    delete from guardian.proposal p using guardian.delta d
      where d.account_id = p_account_id and d.status = 'candidate'
        and d.candidate_id <= p_through
        and p.account_id = d.account_id and p.commitment = d.summary_commitment;
    update guardian.delta
      set status = 'canonical', status_reason = null, status_timestamp = now(),
          result_state = null, result_signers = null
      where account_id = p_account_id and status = 'candidate' and candidate_id <= p_through;
  else
    outcome := 'stale_base';
    perform guardian.park_followers(p_account_id, p_line_id, false, 60);
  end if;
  next := guardian.delta_of(canonry.next_head(p_line_id, p_fence));
end
$$;

-- Who: the canonicalize task, when it gives up on the head.
-- Locks: account row, line row, delta rows, then the job row of the reconcile pass.
-- p_status, p_reason: 'retained' with 'diverged' or 'retry_exhausted', 'discarded' with
-- 'client_abandoned', or null: retention is off and the delta is forgotten.
-- p_seen: the foreign commitment this rests on, if it does. A candidate that was submitted and landed
-- after the claim is not foreign: then nothing changes and the head is looked at again.
-- What its client asked to abandon, be it while the chain was looked at, is discarded, whatever the
-- look asks for.
-- Returns 'resolved', 'abandoned', 'look_again' or 'fenced', and the next head.
create or replace function guardian.give_up_delta(
  p_account_id text, p_line_id bigint, p_fence bigint, p_candidate_id bigint,
  p_status text, p_reason text, p_reconcile_seconds double precision, p_seen text,
  out outcome text, out next guardian.delta_head
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_abandoned boolean;
  v_status text := p_status;
  v_reason text := p_reason;
begin
  perform 1 from guardian.account where account_id = p_account_id for no key update;
  if not canonry.holds(p_line_id, p_fence) then
    outcome := 'fenced';
    return;
  end if;
  if p_seen is not null and exists (
    select 1 from guardian.delta
    where account_id = p_account_id and status = 'candidate' and new_commitment = p_seen
  ) then
    outcome := 'look_again';
    next := guardian.delta_of(canonry.next_head(p_line_id, p_fence));
    return;
  end if;
  select abandon_requested_at is not null into v_abandoned
    from guardian.delta where candidate_id = p_candidate_id;
  if v_abandoned then
    v_status := 'discarded';
    v_reason := 'client_abandoned';
  end if;
  perform canonry.resolve(
    p_candidate_id, case when v_status = 'retained' then 'parked' else 'discarded' end, v_reason
  );
  if v_status is null then
    delete from guardian.delta
      where candidate_id = p_candidate_id and (status = 'candidate') is true;
  else
    update guardian.delta
      set status = v_status, status_reason = v_reason, status_timestamp = now()
      where candidate_id = p_candidate_id and (status = 'candidate') is true;
  end if;
  perform guardian.park_followers(
    p_account_id, p_line_id, p_status is null, p_reconcile_seconds
  );
  outcome := case when v_abandoned then 'abandoned' else 'resolved' end;
  next := guardian.delta_of(canonry.next_head(p_line_id, p_fence));
end
$$;

-- Who: the canonicalize task, when the chain gave no final answer: of several lines together.
-- Locks: for each, in the order of their accounts, line row and delta row; then the job rows.
-- p_snoozes: an array of objects. The counters are what the look was evidence for; a request to
-- abandon that was recorded meanwhile stays.
-- Returns for each, in order, false when the claim was overtaken.
create or replace function guardian.snooze_deltas(p_snoozes json) returns setof boolean
language plpgsql set enable_seqscan = off set jit = off as $$
declare
  i record;
  v_snoozed record;
  v_accounts text[] := '{}';
  v_run_ats timestamptz[] := '{}';
begin
  for i in
    select * from json_to_recordset(p_snoozes) as given (
      line bigint, fence bigint, candidate bigint, "delaySeconds" double precision,
      why text, error text, retries integer, divergences integer, abandonments integer
    )
  loop
    select * into v_snoozed from canonry.snooze(
      i.line, i.fence, i.candidate, i."delaySeconds", i.why, i.error, false);
    if v_snoozed.held then
      update guardian.delta
        set retry_count = i.retries, divergence_count = i.divergences,
            abandon_confirm_count = i.abandonments
        where candidate_id = i.candidate
          and (retry_count, divergence_count, abandon_confirm_count)
            <> (i.retries, i.divergences, i.abandonments);
      v_accounts := v_accounts || v_snoozed.account;
      v_run_ats := v_run_ats || v_snoozed.run_at;
    end if;
    return next v_snoozed.held;
  end loop;
  if cardinality(v_accounts) > 0 then
    perform canonry.wake_all('canonicalize', v_accounts, null, v_run_ats, 'replace');
  end if;
end
$$;

-- Who: a worker of the version before, while machines are replaced.
create or replace function guardian.snooze_delta(
  p_line_id bigint, p_fence bigint, p_candidate_id bigint, p_delay_seconds double precision,
  p_why text, p_last_error text,
  p_retry_count integer, p_divergence_count integer, p_abandon_confirm_count integer
) returns boolean language plpgsql set enable_seqscan = off set jit = off as $$
begin
  return (select held from guardian.snooze_deltas(json_build_array(json_build_object(
    'line', p_line_id, 'fence', p_fence, 'candidate', p_candidate_id,
    'delaySeconds', p_delay_seconds, 'why', p_why, 'error', p_last_error,
    'retries', p_retry_count, 'divergences', p_divergence_count,
    'abandonments', p_abandon_confirm_count))) held);
end
$$;

-- Who: canonry.lock_account.
create or replace function guardian.lock_account(p_account_id text)
returns void language sql as $$
  select 1 from guardian.account where account_id = p_account_id for no key update;
$$;

-- Who: the kernel, when a person or a policy ends a candidate (canonry.kind). The account row and
-- the line row are locked.
create or replace function guardian.follow_resolution(
  p_candidate_id bigint, p_state text, p_why text
) returns void language plpgsql as $$
declare
  v_account_id text;
  v_line_id bigint;
begin
  update guardian.delta
    set status = case when p_state = 'discarded' or abandon_requested_at is not null
          then 'discarded' else 'retained' end,
        status_reason = case when p_state = 'discarded' or abandon_requested_at is not null
          then 'client_abandoned' else 'retry_exhausted' end,
        status_timestamp = now()
    where candidate_id = p_candidate_id and (status = 'candidate') is true
    returning account_id into v_account_id;
  if v_account_id is not null then
    select line_id into v_line_id from canonry.candidate where candidate_id = p_candidate_id;
    perform guardian.park_followers(v_account_id, v_line_id, false, 60);
  end if;
end
$$;
