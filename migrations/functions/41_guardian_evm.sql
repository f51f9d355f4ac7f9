-- Guardian: EVM accounts and proposals (protocol §1.10). The callers have verified sessions and
-- signatures and asked the chain; here is decided what several of them want at once.

-- Who: POST /evm/accounts, after the chain named the session's address as a signer.
-- Locks: the account row.
-- Why safe: one upsert. Proposals keep the validator and the signers they were made with.
-- Returns whether the account is new.
drop function if exists guardian.register_evm_account(text, bigint, text, text);
create function guardian.register_evm_account(
  p_account_id text, p_chain_id bigint, p_address text, p_validator text
) returns boolean language plpgsql set enable_seqscan = off set jit = off as $$
begin
  insert into guardian.evm_account (account_id, chain_id, address, validator)
    values (p_account_id, p_chain_id, p_address, p_validator)
    on conflict (account_id) do nothing;
  if found then
    return true;
  end if;
  update guardian.evm_account
    set validator = p_validator, updated_at = clock_timestamp()
    where account_id = p_account_id and validator <> p_validator;
  return false;
end
$$;

-- Who: every change of proposals, first.
-- Locks: the account row, so that changes of one account are decided one after the other.
-- Index: primary key.
-- Returns null when the account may be changed, else the refusal; released wins over paused.
create or replace function guardian.evm_gate(p_account_id text)
returns text language plpgsql as $$
declare
  v_account guardian.evm_account;
begin
  select * into v_account from guardian.evm_account
    where account_id = p_account_id for no key update;
  return case
    when v_account.account_id is null then 'account_not_found'
    when v_account.released_at is not null then 'account_released'
    when v_account.paused_at is not null then 'account_paused'
  end;
end
$$;

-- Who: POST /evm/proposals, after the chain named the proposer as a signer and the nonce as unused,
-- and the signature was verified.
-- Locks: the account row.
-- Index: primary keys, evm_proposal_by_age.
-- Why safe: proposal and first signature commit together. An active proposal of the same id is left
-- as it is; what is left of an inactive one makes room.
-- Returns 'stored' or the refusal.
create or replace function guardian.create_evm_proposal(
  p_account_id text, p_proposal_id text, p_validator text, p_user_op_hash text, p_payload text,
  p_nonce numeric, p_proposer text, p_signer_snapshot text[], p_threshold integer,
  p_signature text, p_seconds integer, p_most integer
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_refusal text := guardian.evm_gate(p_account_id);
  v_now timestamptz := clock_timestamp();
begin
  if v_refusal is not null then
    return v_refusal;
  end if;
  -- the caller has just seen the nonce unused
  update guardian.evm_proposal set nonce_used_at = null
    where account_id = p_account_id and proposal_id = p_proposal_id and expires_at > v_now;
  if found then
    return 'stored';
  end if;
  delete from guardian.evm_proposal
    where account_id = p_account_id and proposal_id = p_proposal_id;
  -- the times are no condition of the search: their index holds the proposals of all accounts
  if (
    select count(*) filter (where expires_at > v_now and nonce_used_at is null)
    from guardian.evm_proposal where account_id = p_account_id
  ) >= p_most then
    return 'pending_proposals_limit';
  end if;
  insert into guardian.evm_proposal (
    account_id, proposal_id, validator, user_op_hash, payload, nonce, nonce_key, proposer,
    signer_snapshot, threshold, created_at, expires_at
  ) values (
    p_account_id, p_proposal_id, p_validator, p_user_op_hash, p_payload,
    p_nonce, div(p_nonce, 18446744073709551616), p_proposer,
    p_signer_snapshot, p_threshold, v_now, v_now + make_interval(secs => p_seconds)
  );
  insert into guardian.evm_signature values
    (p_account_id, p_proposal_id, p_proposer, p_signature, v_now);
  return 'stored';
end
$$;

-- Who: every look at an account's proposals, after asking the EntryPoint for the next nonce of the
-- given keys.
-- Locks: the rows whose mark changes, in the order of their ids: two looks at once come with their
-- keys in the order of the answers, and must not wait for each other.
-- Index: evm_proposal_by_age; primary key.
-- Why safe: a mark follows the newest answer in both directions. Of the marked ones the p_most that
-- were marked last stay, so that a chain that takes a nonce back brings its proposals back.
drop function if exists guardian.mark_used_evm_nonces(text, numeric[], numeric[]);
create or replace function guardian.mark_used_evm_nonces(
  p_account_id text, p_nonce_keys numeric[], p_next numeric[],
  p_most integer default 20 -- processes of an earlier version leave it out
) returns void language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_ids text[];
begin
  select array_agg(l.proposal_id) into v_ids from (
    select p.proposal_id from guardian.evm_proposal p
    join unnest(p_nonce_keys, p_next) as n (nonce_key, next) on p.nonce_key = n.nonce_key
    where p.account_id = p_account_id and (p.nonce < n.next) <> (p.nonce_used_at is not null)
    order by p.proposal_id for no key update of p
  ) l;
  if v_ids is null then
    return;
  end if;
  update guardian.evm_proposal p
    set nonce_used_at = case when p.nonce < n.next then clock_timestamp() end
    from unnest(p_nonce_keys, p_next) as n (nonce_key, next)
    where p.account_id = p_account_id and p.proposal_id = any(v_ids)
      and p.nonce_key = n.nonce_key and (p.nonce < n.next) <> (p.nonce_used_at is not null);
  delete from guardian.evm_proposal where ctid = any(array(
    select p.ctid from guardian.evm_proposal p
    where p.account_id = p_account_id and p.nonce_used_at is not null
      and p.proposal_id = any(array(
        select u.proposal_id from guardian.evm_proposal u
        where u.account_id = p_account_id and u.nonce_used_at is not null
        order by u.nonce_used_at desc, u.proposal_id offset p_most))
    for update skip locked));
end
$$;

-- Who: everybody who shows proposals. p_proposal_id null: all of the account.
-- Index: primary keys, evm_proposal_by_age.
-- Active ones, oldest first, with their signatures in the order of signing.
create or replace function guardian.active_evm_proposals(p_account_id text, p_proposal_id text)
returns table (
  account_id text, chain_id bigint, address text, proposal_id text, validator text,
  user_op_hash text, payload text, nonce text, nonce_key text, proposer text,
  signer_snapshot text[], threshold integer, created_at timestamptz, expires_at timestamptz,
  signatures json
) language sql stable as $$
  select p.account_id, a.chain_id, a.address, p.proposal_id, p.validator, p.user_op_hash, p.payload,
    p.nonce::text, p.nonce_key::text, p.proposer, p.signer_snapshot, p.threshold,
    p.created_at, p.expires_at,
    (select json_agg(json_build_object(
        'signer', s.signer, 'signature', s.signature,
        'signed_at', floor(extract(epoch from s.signed_at) * 1000)::bigint
      ) order by s.signed_at, s.signer)
      from guardian.evm_signature s
      where s.account_id = p.account_id and s.proposal_id = p.proposal_id)
  from guardian.evm_proposal p join guardian.evm_account a on a.account_id = p.account_id
  where p.account_id = p_account_id
    and (p_proposal_id is null or p.proposal_id = p_proposal_id)
    and p.expires_at > clock_timestamp() and p.nonce_used_at is null
  order by p.created_at, p.proposal_id;
$$;

-- Who: POST /evm/proposals/{id}/approve, after the chain was asked for the nonce.
-- Locks: the account row; the new signature row.
-- Index: primary keys.
-- Why safe: appending is one insert, so simultaneous signers do not overwrite each other, and one
-- signer signs once.
-- p_verdict: whether the signature over the user operation's hash is the signer's.
-- Returns 'signed' or the refusal.
create or replace function guardian.approve_evm_proposal(
  p_account_id text, p_proposal_id text, p_signer text, p_signature text, p_verdict boolean
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_refusal text := guardian.evm_gate(p_account_id);
  v_snapshot text[];
begin
  if v_refusal is not null then
    return v_refusal;
  end if;
  select signer_snapshot into v_snapshot from guardian.evm_proposal
    where account_id = p_account_id and proposal_id = p_proposal_id
      and expires_at > clock_timestamp() and nonce_used_at is null;
  if not found then
    return 'proposal_not_found';
  end if;
  if not p_signer = any(v_snapshot) then
    return 'signer_not_authorized';
  end if;
  if not p_verdict then
    return 'invalid_proposal_signature';
  end if;
  insert into guardian.evm_signature (account_id, proposal_id, signer, signature, signed_at)
    values (p_account_id, p_proposal_id, p_signer, p_signature, clock_timestamp())
    on conflict do nothing;
  return case when found then 'signed' else 'proposal_already_signed' end;
end
$$;

-- Who: POST /evm/proposals/{id}/cancel.
-- Locks: the account row; the rows it removes.
-- Index: primary keys.
-- Why safe: an approval holds the same account lock, so it comes before or finds nothing.
-- Returns 'cancelled' or the refusal.
create or replace function guardian.cancel_evm_proposal(
  p_account_id text, p_proposal_id text, p_caller text
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_refusal text := guardian.evm_gate(p_account_id);
  v_proposer text;
begin
  if v_refusal is not null then
    return v_refusal;
  end if;
  select proposer into v_proposer from guardian.evm_proposal
    where account_id = p_account_id and proposal_id = p_proposal_id
      and expires_at > clock_timestamp() and nonce_used_at is null;
  if not found then
    return 'proposal_not_found';
  end if;
  if v_proposer <> p_caller then
    return 'authorization_failed';
  end if;
  delete from guardian.evm_proposal
    where account_id = p_account_id and proposal_id = p_proposal_id;
  return 'cancelled';
end
$$;

-- Who: every replica, once a minute.
-- Locks: the rows it removes; those that another sweeper holds are left to it.
-- Index: evm_proposal_expiry; then by place, as in sweep_sessions.
-- Why safe: expired proposals are shown to nobody.
-- Returns how many went, at most p_rows.
create or replace function guardian.sweep_evm_proposals(p_rows integer)
returns integer language sql as $$
  with gone as (
    delete from guardian.evm_proposal where ctid = any (array(
      select ctid from guardian.evm_proposal
      where expires_at <= (select clock_timestamp())
      order by expires_at limit p_rows for update skip locked))
    returning 1
  )
  select count(*)::integer from gone;
$$;
