-- Guardian: what the canonicalization of a delta writes. Every function names the fence.

-- Who: the functions below and the claim; joins the delta of the head.
-- Index: delta_by_candidate.
create or replace function guardian.delta_of(p_head canonry.head)
returns guardian.delta_head language sql as $$
  select p_head.line_id, p_head.fence, p_head.candidate_id, p_head.attempts, p_head.due,
         d.nonce, d.prev_commitment, d.new_commitment, d.divergence_count,
         extract(epoch from clock_timestamp() - p_head.submitted_at)::double precision
  from (select p_head.candidate_id) h left join guardian.delta d using (candidate_id);
$$;

-- Who: the canonicalize task, once a wake-up. See canonry.claim.
create or replace function guardian.claim_delta(
  p_account_id text, p_holder text, p_claim_seconds double precision
) returns guardian.delta_head language plpgsql as $$
declare
  head canonry.head := canonry.claim('canonicalize', p_account_id, p_holder, p_claim_seconds);
begin
  if head.line_id is null then
    return null;
  end if;
  return guardian.delta_of(head);
end
$$;

-- Who: the canonicalize task, when the chain shows the commitment the delta leads to.
-- Locks: account row, line row.
-- Why safe: one transaction flips the candidate and the delta, moves the account from exactly
-- the base of the delta, follows a changed signer set, and notes a switch to another guardian.
-- Returns the outcome and the next head of the line: 'promoted', 'fenced' (the claim was
-- overtaken; nothing changed) or 'stale_base' (the account is no longer at the delta's base:
-- the candidate is parked and its delta retained).
create or replace function guardian.promote_delta(
  p_account_id text, p_line_id bigint, p_fence bigint, p_candidate_id bigint,
  out outcome text, out next guardian.delta_head
) language plpgsql as $$
declare
  v_delta guardian.delta;
begin
  perform 1 from guardian.account where account_id = p_account_id for no key update;
  if not canonry.holds(p_line_id, p_fence) then
    outcome := 'fenced';
    return;
  end if;
  select * into strict v_delta from guardian.delta where candidate_id = p_candidate_id;

  update guardian.account a
    set commitment = v_delta.new_commitment, state = v_delta.result_state,
        signer_commitments = v_delta.result_signers,
        auth_version = a.auth_version
          + (a.signer_commitments is distinct from v_delta.result_signers)::integer,
        released_at = case when v_delta.result_bound_here then a.released_at else now() end,
        updated_at = now()
    where account_id = p_account_id and commitment = v_delta.prev_commitment;
  if found then
    outcome := 'promoted';
    perform canonry.resolve(p_candidate_id, 'finalized', 'canonical');
    update guardian.delta
      set status = 'canonical', status_reason = null, status_timestamp = now(),
          result_state = null, result_signers = null
      where candidate_id = p_candidate_id and status = 'candidate';
  else
    outcome := 'stale_base';
    perform canonry.resolve(p_candidate_id, 'parked', 'stale_base');
    update guardian.delta
      set status = 'retained', status_reason = 'diverged', status_timestamp = now()
      where candidate_id = p_candidate_id and status = 'candidate';
  end if;
  next := guardian.delta_of(canonry.next_head(p_line_id, p_fence));
end
$$;

-- Who: the canonicalize task, when the chain has moved somewhere else p_confirmations times
-- in a row.
-- Locks: account row, line row.
-- Returns 'retained' or 'fenced', and the next head.
create or replace function guardian.retain_delta(
  p_account_id text, p_line_id bigint, p_fence bigint, p_candidate_id bigint, p_reason text,
  out outcome text, out next guardian.delta_head
) language plpgsql as $$
begin
  perform 1 from guardian.account where account_id = p_account_id for no key update;
  if not canonry.holds(p_line_id, p_fence) then
    outcome := 'fenced';
    return;
  end if;
  perform canonry.resolve(p_candidate_id, 'parked', p_reason);
  update guardian.delta
    set status = 'retained', status_reason = p_reason, status_timestamp = now()
    where candidate_id = p_candidate_id and status = 'candidate';
  outcome := 'retained';
  next := guardian.delta_of(canonry.next_head(p_line_id, p_fence));
end
$$;

-- Who: the canonicalize task, when the chain gave no final answer.
-- Locks: line row, then the job row (in canonry.snooze).
-- p_divergence_count: consecutive observations of a foreign commitment; 0 resets the streak.
-- Returns false when the claim was overtaken.
create or replace function guardian.snooze_delta(
  p_line_id bigint, p_fence bigint, p_candidate_id bigint, p_delay_seconds double precision,
  p_why text, p_last_error text, p_divergence_count integer
) returns boolean language plpgsql as $$
begin
  if not canonry.snooze(
    p_line_id, p_fence, p_candidate_id, p_delay_seconds, p_why, p_last_error
  ) then
    return false;
  end if;
  update guardian.delta set divergence_count = p_divergence_count
    where candidate_id = p_candidate_id and divergence_count <> p_divergence_count;
  return true;
end
$$;
