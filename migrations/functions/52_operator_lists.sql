-- Guardian: the dashboard's lists.

-- What the dashboard shows of an account. EVM accounts have neither state nor candidates, and
-- their signers are the chain's.
drop function if exists guardian.listed_accounts(boolean, timestamptz, text, integer);
drop function if exists guardian.listed_account(text);

-- Who: GET /dashboard/accounts.
-- Index: account_active, account_paused, evm_account_active, evm_account_paused, each from the
-- position on, then merged; delta_candidates.
-- p_paused: null for all. p_at, p_after: the last row of the page before.
create function guardian.listed_accounts(
  p_paused boolean, p_at timestamptz, p_after text, p_most integer
) returns table (
  account_id text, auth_scheme text, signers text[], has_pending_candidate boolean,
  commitment text, created_at timestamptz, updated_at timestamptz, "position" text,
  paused_at timestamptz, paused_reason text, released_at timestamptz,
  state_created_at timestamptz, state_updated_at timestamptz
) language plpgsql stable set enable_seqscan = off set jit = off as $$
begin
  return query
  with page as (
    (select a.account_id, a.metadata_updated_at as at from guardian.account a
      where p_paused is distinct from true and a.paused_at is null
        and a.metadata_updated_at <= p_at
        and (a.metadata_updated_at < p_at or a.account_id > p_after)
      order by a.metadata_updated_at desc, a.account_id limit p_most)
    union all
    (select a.account_id, a.metadata_updated_at from guardian.account a
      where p_paused is distinct from false and a.paused_at is not null
        and a.metadata_updated_at <= p_at
        and (a.metadata_updated_at < p_at or a.account_id > p_after)
      order by a.metadata_updated_at desc, a.account_id limit p_most)
    union all
    (select e.account_id, e.updated_at from guardian.evm_account e
      where p_paused is distinct from true and e.paused_at is null
        and e.updated_at <= p_at and (e.updated_at < p_at or e.account_id > p_after)
      order by e.updated_at desc, e.account_id limit p_most)
    union all
    (select e.account_id, e.updated_at from guardian.evm_account e
      where p_paused is distinct from false and e.paused_at is not null
        and e.updated_at <= p_at and (e.updated_at < p_at or e.account_id > p_after)
      order by e.updated_at desc, e.account_id limit p_most)
    order by 2 desc, 1 limit p_most
  )
  select l.* from page p cross join lateral guardian.listed_account(p.account_id) l
  order by p.at desc, p.account_id;
end
$$;

-- Who: GET /dashboard/accounts/{id}, and the list for each of its rows.
-- Index: primary keys, delta_candidates.
create function guardian.listed_account(p_account_id text) returns table (
  account_id text, auth_scheme text, signers text[], has_pending_candidate boolean,
  commitment text, created_at timestamptz, updated_at timestamptz, "position" text,
  paused_at timestamptz, paused_reason text, released_at timestamptz,
  state_created_at timestamptz, state_updated_at timestamptz
) language sql stable as $$
  select a.account_id, a.auth_scheme, a.signer_commitments,
         exists (
           select 1 from guardian.delta d
           where d.account_id = a.account_id and d.status = 'candidate'
         ),
         a.commitment, a.created_at, a.metadata_updated_at, a.metadata_updated_at::text,
         a.paused_at, a.paused_reason, a.released_at, a.created_at, a.updated_at
  from guardian.account a where a.account_id = p_account_id
  union all
  select e.account_id, 'ecdsa', '{}'::text[], false, null, e.created_at, e.updated_at,
         e.updated_at::text, e.paused_at, e.paused_reason, e.released_at, null, null
  from guardian.evm_account e where e.account_id = p_account_id;
$$;

-- Who: the lists of proposals and submit_delta. A stored document may hold what cannot be read as
-- text (a zero character, a lone surrogate): then it says nothing.
create or replace function guardian.proposal_metadata(p_payload json)
returns json language plpgsql immutable set enable_seqscan = off set jit = off as $$
begin
  return case when json_typeof(p_payload -> 'metadata') = 'object' then p_payload -> 'metadata' end;
exception when others then
  return null;
end
$$;
create or replace function guardian.proposal_type(p_payload json)
returns text language plpgsql immutable set enable_seqscan = off set jit = off as $$
begin
  return case when json_typeof(p_payload #> '{metadata,proposal_type}') = 'string'
    then p_payload #>> '{metadata,proposal_type}' end;
exception when others then
  return null;
end
$$;

drop function if exists guardian.account_proposals(text, bigint, text, integer);
drop function if exists guardian.pending_proposals(timestamptz, text, bigint, text, integer);

-- Who: GET /dashboard/accounts/{id}/proposals.
-- Index: proposal_by_nonce; primary key of proposal_signature.
-- p_nonce, p_commitment: the last row of the page before.
create function guardian.account_proposals(
  p_account_id text, p_nonce bigint, p_commitment text, p_most integer
) returns table (
  account_id text, commitment text, nonce bigint, proposer text, created_at timestamptz,
  "position" text, prev_commitment text, collected bigint, required bigint, proposal_type text
) language sql stable as $$
  select p.account_id, p.commitment, p.nonce, p.proposer, p.created_at, p.created_at::text,
         p.prev_commitment,
         (select count(*) from guardian.proposal_signature s
           where s.account_id = p.account_id and s.commitment = p.commitment),
         cardinality(a.signer_commitments)::bigint, guardian.proposal_type(p.payload)
  from guardian.proposal p join guardian.account a using (account_id)
  where p.account_id = p_account_id
    and (p.nonce, p.commitment) < (p_nonce, p_commitment)
  order by p.nonce desc, p.commitment desc limit p_most;
$$;

-- Who: GET /dashboard/proposals.
-- Index: proposal_feed; primary keys.
create function guardian.pending_proposals(
  p_at timestamptz, p_account_id text, p_nonce bigint, p_commitment text, p_most integer
) returns table (
  account_id text, commitment text, nonce bigint, proposer text, created_at timestamptz,
  "position" text, prev_commitment text, collected bigint, required bigint, proposal_type text
) language plpgsql stable set enable_seqscan = off set jit = off as $$
begin
  return query
  with page as (
    select p.* from guardian.proposal p
    where p.created_at <= p_at and (p.created_at < p_at
      or (p.account_id, p.nonce, p.commitment) > (p_account_id, p_nonce, p_commitment))
    order by p.created_at desc, p.account_id, p.nonce, p.commitment limit p_most
  )
  select p.account_id, p.commitment, p.nonce, p.proposer, p.created_at, p.created_at::text,
         p.prev_commitment,
         (select count(*) from guardian.proposal_signature s
           where s.account_id = p.account_id and s.commitment = p.commitment),
         (select cardinality(a.signer_commitments)::bigint from guardian.account a
           where a.account_id = p.account_id),
         guardian.proposal_type(p.payload)
  from page p
  order by p.created_at desc, p.account_id, p.nonce, p.commitment;
end
$$;

drop function if exists guardian.delta_feed(text[], timestamptz, text, bigint, integer);

-- Who: GET /dashboard/deltas.
-- Index: delta_feed; for each status one range from the position on, then merged.
-- p_at, p_account_id, p_nonce: the last row of the page before.
-- Returns where the rows of the page are.
create function guardian.delta_feed(
  p_statuses text[], p_at timestamptz, p_account_id text, p_nonce bigint, p_most integer
) returns table (account_id text, nonce bigint, "position" text)
language plpgsql stable set enable_seqscan = off set jit = off as $$
begin
  return query
  select d.account_id, d.nonce, d.status_timestamp::text
  from unnest(p_statuses) s (status)
  cross join lateral (
    select f.account_id, f.nonce, f.status_timestamp from guardian.delta f
    where f.status = s.status and f.status_timestamp <= p_at
      and (f.status_timestamp < p_at or (f.account_id, f.nonce) > (p_account_id, p_nonce))
    order by f.status_timestamp desc, f.account_id, f.nonce limit p_most
  ) d
  order by d.status_timestamp desc, d.account_id, d.nonce limit p_most;
end
$$;
