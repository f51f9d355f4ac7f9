-- Guardian: admission of signed requests, and what they read or write.

-- Who: every signed write and admit_read, after the signature was verified against auth_version.
-- Locks: the account row (key share) and the signer's clock row.
-- Index: primary keys.
-- Why safe: the timestamp must be strictly greater than the newest accepted one of this signer;
-- one upsert decides, so identical concurrent requests admit exactly one.
-- Returns 'ok', 'account_not_found', 'stale_auth' (verify again), 'not_fresh' or
-- 'authentication_replay'.
create or replace function guardian.admit(
  p_account_id text, p_auth_version bigint, p_signer text, p_timestamp bigint
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_version bigint;
begin
  select auth_version into v_version from guardian.account
    where account_id = p_account_id for key share;
  if v_version is null then
    return 'account_not_found';
  end if;
  if v_version <> p_auth_version then
    return 'stale_auth';
  end if;
  -- protocol §2.7: within five minutes of the clock, in milliseconds
  if abs(extract(epoch from clock_timestamp()) * 1000 - p_timestamp) > 300000 then
    return 'not_fresh';
  end if;
  insert into guardian.signer_clock as c (account_id, signer_commitment, last_timestamp)
    values (p_account_id, p_signer, p_timestamp)
    on conflict (account_id, signer_commitment) do update
      set last_timestamp = excluded.last_timestamp
      where c.last_timestamp < excluded.last_timestamp;
  if not found then
    return 'authentication_replay';
  end if;
  return 'ok';
end
$$;

-- Who: every signed read, in the statement that reads.
-- Locks, index: as admit, and only for one of the account's signers: a stranger's read writes
-- nothing.
-- Why safe: p_names are commitments of the key that made the signature. With p_auth_version they
-- were compared with the signers of that version; without (null: the process does not remember
-- the account) they are compared with those seen here. Both may be old by the time of admit, which
-- then answers 'stale_auth'.
-- Returns what admit returns, or 'authentication_failed'; with the account as it was seen when the
-- process did not remember it and is admitted.
create or replace function guardian.admit_read(
  p_account_id text, p_auth_version bigint, p_scheme text, p_names text[], p_timestamp bigint,
  out outcome text, out seen_version bigint, out seen_scheme text, out seen_signers text[],
  out seen_commitment text
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_signer text;
  v_version bigint;
  v_scheme text;
  v_signers text[];
  v_commitment text;
begin
  if p_auth_version is not null then
    outcome := guardian.admit(p_account_id, p_auth_version, p_names[1], p_timestamp);
    return;
  end if;
  select auth_version, auth_scheme, signer_commitments, commitment
    into v_version, v_scheme, v_signers, v_commitment
    from guardian.account where account_id = p_account_id;
  if not found then
    outcome := 'account_not_found';
    return;
  end if;
  select name into v_signer from unnest(p_names) with ordinality as given (name, place)
    where name = any (v_signers) and p_scheme = v_scheme
    order by place limit 1;
  if v_signer is null then
    outcome := 'authentication_failed';
    return;
  end if;
  outcome := guardian.admit(p_account_id, v_version, v_signer, p_timestamp);
  if outcome = 'ok' then
    seen_version := v_version;
    seen_scheme := v_scheme;
    seen_signers := v_signers;
    seen_commitment := v_commitment;
  end if;
end
$$;

-- Who: POST /configure, after every check of the submitted state.
-- Locks: the account row.
-- Why safe: state, signer set, replay timestamp and the lifted release commit together. An
-- existing account is changed only by a request that p_verified_against names the signer set
-- of: 0 means "verified against the body because the account is new".
-- Returns the outcome: 'configured', 'stale_auth' or 'authentication_replay'.
create or replace function guardian.configure_account(
  p_account_id text, p_verified_against bigint, p_signer text, p_timestamp bigint,
  p_auth_scheme text, p_signer_commitments text[], p_commitment text, p_state bytea
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_admitted text;
begin
  if p_verified_against = 0 then
    insert into guardian.account
        (account_id, auth_scheme, signer_commitments, commitment, state)
      values (p_account_id, p_auth_scheme, p_signer_commitments, p_commitment, p_state)
      on conflict (account_id) do nothing;
    if not found then
      return 'stale_auth';
    end if;
    insert into guardian.signer_clock values (p_account_id, p_signer, p_timestamp);
    return 'configured';
  end if;

  perform 1 from guardian.account where account_id = p_account_id for no key update;
  v_admitted := guardian.admit(p_account_id, p_verified_against, p_signer, p_timestamp);
  if v_admitted <> 'ok' then
    return v_admitted;
  end if;
  if exists (
    select 1 from guardian.delta where account_id = p_account_id and status = 'candidate'
  ) then
    return 'conflict_pending_delta';
  end if;
  update guardian.account
    set auth_version = auth_version + 1, auth_scheme = p_auth_scheme,
        signer_commitments = p_signer_commitments, commitment = p_commitment, state = p_state,
        released_at = null, updated_at = now()
    where account_id = p_account_id;
  return 'configured';
end
$$;

-- Who: POST /delta, after the delta was verified against p_prev_commitment and acknowledged.
-- Locks: the account row first, so that everything below is decided once; then the job row.
-- Index: primary keys, delta_candidates.
-- Why safe: replay timestamp, candidate and wake-up commit together or not at all. A refusal
-- is returned, not raised, so that the replay timestamp of a refused request stays used.
-- p_max_candidates: 1 is the protocol; with more, a delta may build on the result of the last
-- candidate, and the line resolves them in order.
-- p_verdict: 'valid'; 'invalid' (the delta does not apply to its base: refused last, after the
-- refusals that come first in the protocol); 'unexamined' (the base was not the stored one).
-- p_together: with other accounts in one transaction, by submit_deltas, which wakes the account. It is
-- 'busy', with nothing done, while somebody else has a lock, or when a large delta has to be read:
-- neither holds the others up.
-- Returns the outcome, and the stored delta, without its result state, for 'submitted' and for an
-- identical re-submission ('stored').
drop function if exists guardian.submit_delta(
  text, bigint, text, bigint, text, bigint, text, text, text, json, text, text, text,
  bytea, text[], boolean, text, integer
);
create or replace function guardian.submit_delta(
  p_account_id text, p_auth_version bigint, p_signer text, p_timestamp bigint,
  p_verdict text, p_nonce bigint, p_prev_commitment text, p_new_commitment text,
  p_summary_commitment text, p_payload json,
  p_ack_scheme text, p_ack_pubkey text, p_ack_signature text,
  p_result_state bytea, p_result_signers text[], p_result_bound_here boolean,
  p_queue_name text, p_max_candidates integer, p_together boolean default false,
  out outcome text, out about guardian.delta
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_account guardian.account;
  v_tail guardian.delta;
  v_count integer;
  v_candidate_id bigint;
begin
  if p_together then
    select * into v_account from guardian.account
      where account_id = p_account_id for no key update skip locked;
    if not found then
      outcome := 'busy';
      return;
    end if;
  else
    select * into v_account from guardian.account
      where account_id = p_account_id for no key update;
  end if;
  select count(*) into v_count from guardian.delta
    where account_id = p_account_id and status = 'candidate';
  if p_together and (
    (v_count < p_max_candidates and not canonry.try_wake_lock('canonicalize', p_account_id))
    -- to compare with it takes a while
    or exists (
      select 1 from guardian.delta where account_id = p_account_id and nonce = p_nonce
        and prev_commitment = p_prev_commitment and octet_length(payload::text) > 65536
    )
  ) then
    outcome := 'busy';
    return;
  end if;
  select * into v_tail from guardian.delta
    where account_id = p_account_id and status = 'candidate'
    order by candidate_id desc limit 1;
  -- the base appeared after the request was looked at: look again
  if p_verdict = 'unexamined'
    and coalesce(v_tail.new_commitment, v_account.commitment) = p_prev_commitment
  then
    outcome := 'stale_auth';
    return;
  end if;
  outcome := guardian.admit(p_account_id, p_auth_version, p_signer, p_timestamp);
  if outcome <> 'ok' then
    return;
  end if;
  if v_account.released_at is not null then
    outcome := 'account_released';
    return;
  end if;
  if v_account.paused_at is not null then
    outcome := 'account_paused';
    return;
  end if;

  select * into about from guardian.delta where account_id = p_account_id and nonce = p_nonce;
  if about.status in ('candidate', 'canonical')
    and about.prev_commitment = p_prev_commitment
    and about.payload ->> 'data' is not distinct from p_payload ->> 'data'
    -- encrypted, the same payload is another text each time; it brings a keyed fingerprint of data
    and about.payload ->> 'fingerprint' is not distinct from p_payload ->> 'fingerprint'
  then
    outcome := 'stored';
    -- as large as the account, and not part of the answer
    about.result_state := null;
    return;
  end if;
  about := null;
  -- a full line, and a base that only the canonical state has, wait for the line to move
  if v_count >= p_max_candidates
    or (v_count > 0 and v_account.commitment = p_prev_commitment
      and v_tail.new_commitment <> p_prev_commitment)
  then
    outcome := 'conflict_pending_delta';
    return;
  end if;
  if coalesce(v_tail.new_commitment, v_account.commitment) <> p_prev_commitment then
    outcome := 'commitment_mismatch';
    return;
  end if;
  if p_verdict = 'invalid' then
    outcome := 'invalid_delta';
    return;
  end if;
  -- a retained or abandoned row gives its nonce back to a new submission; a canonical one is
  -- history
  delete from guardian.delta
    where account_id = p_account_id and nonce = p_nonce
      and (status in ('retained', 'discarded')) is true;
  if exists (select 1 from guardian.delta where account_id = p_account_id and nonce = p_nonce) then
    outcome := 'conflict_pending_delta';
    return;
  end if;

  v_candidate_id := case when p_together
    then canonry.add_candidate('canonicalize', p_account_id)
    else canonry.submit('canonicalize', p_account_id, p_queue_name) end;
  insert into guardian.delta (
    account_id, nonce, candidate_id, status, prev_commitment, new_commitment,
    summary_commitment, payload, ack_scheme, ack_pubkey, ack_signature,
    result_state, result_signers, result_bound_here, proposal
  ) values (
    p_account_id, p_nonce, v_candidate_id,
    'candidate', p_prev_commitment, p_new_commitment, p_summary_commitment, p_payload,
    p_ack_scheme, p_ack_pubkey, p_ack_signature,
    p_result_state, p_result_signers, p_result_bound_here,
    -- an encrypted proposal is kept as a whole: only its readers can take the metadata out of it
    (select case when exists (select 1 from guardian.storage_encryption) then p.payload
        else guardian.proposal_metadata(p.payload) end
      from guardian.proposal p
      where p.account_id = p_account_id and p.commitment = p_summary_commitment)
  ) returning * into about;
  about.result_state := null;
  outcome := 'submitted';
end
$$;

-- Who: POST /delta, for requests that a process has at the same time.
-- Locks: what submit_delta locks, of several accounts. It waits for none of it but a signer's clock,
-- which a signed read has for the length of its statement: so nobody waits in a circle, and a locked
-- account holds up itself alone.
-- Why safe: one transaction, so all candidates and their wake-ups or none. A refusal is an outcome;
-- an error undoes all of them, and the caller submits each by itself.
-- p_items: an array of objects, the arguments of submit_delta by name; bytea as `\x` and hex digits.
-- Returns what submit_delta returns and what is said of a refusal, in the order of the items.
create or replace function guardian.submit_deltas(p_items json, p_max_candidates integer)
returns table (outcome text, refusal json, about guardian.delta)
language plpgsql set enable_seqscan = off set jit = off as $$
declare
  i record;
  v_submitted record;
  v_accounts text[] := '{}';
  v_queue_names text[] := '{}';
begin
  for i in
    select * from json_to_recordset(p_items) as given (
      account_id text, auth_version bigint, signer text, "timestamp" bigint, verdict text,
      nonce bigint, prev_commitment text, new_commitment text, summary_commitment text,
      payload text, ack_scheme text, ack_pubkey text, ack_signature text, state bytea,
      signers text[], bound_here boolean, queue_name text
    )
  loop
    select * into v_submitted
      from guardian.submit_delta(
        i.account_id, i.auth_version, i.signer, i."timestamp", i.verdict, i.nonce,
        i.prev_commitment, i.new_commitment, i.summary_commitment, i.payload::json, i.ack_scheme,
        i.ack_pubkey, i.ack_signature, i.state, i.signers, i.bound_here, i.queue_name,
        p_max_candidates, true
      );
    outcome := v_submitted.outcome;
    about := v_submitted.about;
    refusal := guardian.refusal_details(i.account_id, outcome);
    if outcome = 'submitted' then
      v_accounts := v_accounts || i.account_id;
      v_queue_names := v_queue_names || i.queue_name;
    end if;
    return next;
  end loop;
  if cardinality(v_accounts) > 0 then
    perform canonry.wake_all(
      'canonicalize', v_accounts, v_queue_names, null, 'preserve_run_at');
  end if;
end
$$;
