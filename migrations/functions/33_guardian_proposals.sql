-- Guardian: proposals and requests to abandon (protocol §1.4, C10 to C14).

-- Who: every route that changes something, after admission.
-- Locks: the account row.
-- Returns null when the account may be changed, else the refusal; released wins over paused.
create or replace function guardian.gate(p_account_id text)
returns text language sql as $$
  select case
    when released_at is not null then 'account_released'
    when paused_at is not null then 'account_paused'
  end
  from guardian.account where account_id = p_account_id for no key update;
$$;

-- Who: every write, in the statement that refused it, so that a refusal costs no round trip more.
-- Index: primary keys, delta_candidates.
-- Volatile, so that it sees what the write saw. Null unless there is something to say: since when
-- the account is paused or released, or when the candidate in the way is looked at next. A nonce
-- that is history stays in the way for ever, and a halted candidate until a person acts: there is no
-- time to come back.
create or replace function guardian.refusal_details(p_account_id text, p_outcome text)
returns json language sql volatile as $$
  select json_build_object(
      'paused_at', a.paused_at, 'paused_reason', a.paused_reason, 'released_at', a.released_at,
      'retry_after_secs', case when c.state = 'waiting' then
        greatest(1, ceil(extract(epoch from c.next_attempt_at - clock_timestamp()))) end)
  from guardian.account a
  left join guardian.delta d on d.account_id = a.account_id and d.status = 'candidate'
  left join canonry.candidate c on c.candidate_id = d.candidate_id
  where a.account_id = p_account_id
    and p_outcome in ('conflict_pending_delta', 'account_paused', 'account_released')
  order by d.candidate_id limit 1;
$$;

-- Who: reads of proposals.
-- Index: primary key of proposal_signature.
-- Signatures in the order they arrived.
create or replace function guardian.signatures_of(p_account_id text, p_commitment text)
returns json language sql stable as $$
  select coalesce(json_agg(json_build_object(
      'signer_id', s.signer_commitment, 'signature', s.signature,
      'timestamp', to_char(s.signed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    ) order by s.signed_at, s.signer_commitment), '[]')
  from guardian.proposal_signature s
  where s.account_id = p_account_id and s.commitment = p_commitment;
$$;

-- Who: POST and PUT /delta/proposal, in the statement that wrote.
-- Index: primary keys.
-- Volatile, so that it sees what the write in the same statement left; without a row when that
-- write was refused. Its argument p_outcome makes it run after the write.
create or replace function guardian.proposal_after(
  p_account_id text, p_commitment text, p_outcome text
) returns table (
  account_id text, commitment text, nonce bigint, prev_commitment text, proposer text,
  created_at timestamptz, payload text, signatures text
) language sql volatile as $$
  select p.account_id, p.commitment, p.nonce, p.prev_commitment, p.proposer, p.created_at,
         p.payload::text, guardian.signatures_of(p.account_id, p.commitment)::text
  from guardian.proposal p
  where p_outcome in ('stored', 'signed')
    and p.account_id = p_account_id and p.commitment = p_commitment;
$$;

-- Who: POST /delta/proposal, after the summary was applied to p_prev_commitment and every
-- signature that came along was verified.
-- Locks: the account row, so that the limit is decided once.
-- Index: primary keys, delta_candidates, proposal_by_base.
-- Why safe: proposal and signatures commit together. A proposal that exists is left as it is; the
-- answer shows it with the signatures it has.
-- p_max_pending: of an account in all. Those on another base can no longer be pushed: they make
-- room, the oldest first.
-- p_verdict: as in submit_delta.
-- p_signatures: [{ "signer_id", "signature" }], distinct signers.
create or replace function guardian.create_proposal(
  p_account_id text, p_auth_version bigint, p_signer text, p_timestamp bigint,
  p_verdict text, p_commitment text, p_nonce bigint, p_prev_commitment text, p_payload json,
  p_signatures json, p_max_pending integer
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_commitment text;
  v_refusal text;
  v_pending integer;
begin
  select commitment into v_commitment
    from guardian.account where account_id = p_account_id for no key update;
  if v_commitment <> p_prev_commitment then
    return 'stale_auth';
  end if;
  v_refusal := guardian.admit(p_account_id, p_auth_version, p_signer, p_timestamp);
  if v_refusal <> 'ok' then
    return v_refusal;
  end if;
  v_refusal := guardian.gate(p_account_id);
  if v_refusal is not null then
    return v_refusal;
  end if;
  if exists (
    select 1 from guardian.delta where account_id = p_account_id and status = 'candidate'
  ) then
    return 'conflict_pending_delta';
  end if;
  if exists (
    select 1 from guardian.proposal
    where account_id = p_account_id and commitment = p_commitment
  ) then
    return 'stored';
  end if;
  -- proposals on an older base do not count
  select count(*) into v_pending from guardian.proposal
    where account_id = p_account_id and prev_commitment = v_commitment;
  if v_pending >= p_max_pending then
    return 'pending_proposals_limit';
  end if;
  if p_verdict <> 'valid' then
    return p_verdict;
  end if;
  delete from guardian.proposal
    where account_id = p_account_id and commitment in (
      select commitment from guardian.proposal
      where account_id = p_account_id and prev_commitment <> v_commitment
      order by created_at desc, commitment
      offset p_max_pending - v_pending - 1
    );
  insert into guardian.proposal (account_id, commitment, nonce, prev_commitment, proposer, payload)
    values (p_account_id, p_commitment, p_nonce, p_prev_commitment, p_signer, p_payload);
  insert into guardian.proposal_signature (account_id, commitment, signer_commitment, signature)
    select p_account_id, p_commitment, s ->> 'signer_id', s -> 'signature'
    from json_array_elements(p_signatures) s;
  return 'stored';
end
$$;

-- Who: PUT /delta/proposal, after the signature was verified against the commitment.
-- Locks: the account row first, as every write does; the new signature row.
-- Index: primary keys.
-- Why safe: appending is one insert, so simultaneous signers do not overwrite each other, and one
-- signer signs once.
-- p_verdict: 'valid' or 'invalid'; p_cosigner: whose signature it is.
create or replace function guardian.sign_proposal(
  p_account_id text, p_auth_version bigint, p_signer text, p_timestamp bigint,
  p_verdict text, p_commitment text, p_cosigner text, p_signature json
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_refusal text;
begin
  perform 1 from guardian.account where account_id = p_account_id for no key update;
  v_refusal := guardian.admit(p_account_id, p_auth_version, p_signer, p_timestamp);
  if v_refusal <> 'ok' then
    return v_refusal;
  end if;
  v_refusal := guardian.gate(p_account_id);
  if v_refusal is not null then
    return v_refusal;
  end if;
  if not exists (
    select 1 from guardian.proposal
    where account_id = p_account_id and commitment = p_commitment
  ) then
    return 'proposal_not_found';
  end if;
  if p_verdict <> 'valid' then
    return 'invalid_proposal_signature';
  end if;
  insert into guardian.proposal_signature (account_id, commitment, signer_commitment, signature)
    values (p_account_id, p_commitment, p_cosigner, p_signature)
    on conflict do nothing;
  if not found then
    return 'proposal_already_signed';
  end if;
  return 'signed';
end
$$;

drop function if exists guardian.request_abandon(text, bigint, text, bigint, bigint, boolean);

-- Who: POST /delta/candidate/abandon. p_on_chain: the commitment that the chain shows, or null.
-- Locks: the account row, the line row, the delta row, then the candidate's and the job row of the
-- look that follows. The line row, because a look that waits (snooze_deltas) holds it while it
-- writes these three in another order.
-- Index: primary key, unique (account, task), delta_candidates.
-- Why safe: records an intent only; the worker decides, and landing always wins: also that of a
-- candidate behind this one, which the chain took on top of it. A repeat keeps the first time, and
-- only a request for the head brings the look forward: two looks that confirm each other lie apart.
-- Returns the outcome and, for 'recorded', the state of the delta.
create or replace function guardian.request_abandon(
  p_account_id text, p_auth_version bigint, p_signer text, p_timestamp bigint,
  p_nonce bigint, p_on_chain text,
  out outcome text, out state text, out requested_at timestamptz
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_delta guardian.delta;
begin
  perform 1 from guardian.account where account_id = p_account_id for no key update;
  perform 1 from canonry.line
    where task = 'canonicalize' and account = p_account_id for no key update;
  outcome := guardian.admit(p_account_id, p_auth_version, p_signer, p_timestamp);
  if outcome <> 'ok' then
    return;
  end if;
  outcome := guardian.gate(p_account_id);
  if outcome is not null then
    return;
  end if;
  select * into v_delta from guardian.delta
    where account_id = p_account_id and nonce = p_nonce for update;
  if v_delta.account_id is null then
    outcome := 'delta_not_found';
  elsif v_delta.status = 'canonical'
    or (v_delta.status = 'candidate' and exists (
      select 1 from guardian.delta
      where account_id = p_account_id and status = 'candidate'
        and candidate_id >= v_delta.candidate_id and new_commitment = p_on_chain
    ))
  then
    outcome := 'candidate_landed';
  elsif v_delta.status = 'candidate' then
    outcome := 'recorded';
    state := 'pending';
    requested_at := coalesce(v_delta.abandon_requested_at, clock_timestamp());
    if v_delta.abandon_requested_at is null then
      update guardian.delta set abandon_requested_at = requested_at
        where account_id = p_account_id and nonce = p_nonce;
      if not exists (
        select 1 from guardian.delta
        where account_id = p_account_id and status = 'candidate'
          and candidate_id < v_delta.candidate_id
      ) then
        perform canonry.look_now('canonicalize', p_account_id);
      end if;
    end if;
  else
    outcome := 'recorded';
    state := case v_delta.status when 'retained' then 'retained' else 'abandoned' end;
    requested_at := v_delta.abandon_requested_at;
  end if;
end
$$;
