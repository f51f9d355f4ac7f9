-- Guardian: what the dashboard's lists and counts rest on.

-- Who: trigger of guardian.account, only when a row's metadata differs (the condition is the
-- trigger's, so that a promotion pays for a comparison and nothing else).
-- The account list is ordered by this time; a release is put on record with it.
create or replace function guardian.note_account_change() returns trigger language plpgsql as $$
begin
  new.metadata_updated_at := now();
  if old.released_at is null and new.released_at is not null then
    insert into guardian.admin_action
        (operator_identity, action_kind, target_account_id, payload, outcome)
      values ('system', 'accounts.release', new.account_id,
        json_build_object('commitment', new.commitment), 'success');
  end if;
  return new;
end
$$;
create or replace trigger account_metadata_changed
  before update on guardian.account for each row
  when (
    old.auth_version is distinct from new.auth_version
    or old.paused_at is distinct from new.paused_at
    or old.released_at is distinct from new.released_at
  )
  execute function guardian.note_account_change();

-- Who: the triggers below. One statement counts all its rows, part by part in one order.
-- Locks: a row of account_count for each part it touches, until the end of the transaction, which
-- for a configuration is near. Promotions never come here.
create or replace function guardian.count_accounts() returns trigger language plpgsql as $$
declare
  v_by integer := case tg_op when 'DELETE' then -1 else 1 end;
begin
  if tg_argv[0] = 'evm' then
    insert into guardian.account_count as c (auth_method, slot, accounts)
      select 'evm', hashtext(account_id) & 15, v_by * count(*) from changed group by 2 order by 2
      on conflict (auth_method, slot) do update set accounts = c.accounts + excluded.accounts;
  else
    insert into guardian.account_count as c (auth_method, slot, accounts)
      select 'miden_' || auth_scheme, hashtext(account_id) & 15, v_by * count(*)
      from changed group by 1, 2 order by 1, 2
      on conflict (auth_method, slot) do update set accounts = c.accounts + excluded.accounts;
  end if;
  return null;
end
$$;
create or replace trigger account_added after insert on guardian.account
  referencing new table as changed
  for each statement execute function guardian.count_accounts('miden');
create or replace trigger account_removed after delete on guardian.account
  referencing old table as changed
  for each statement execute function guardian.count_accounts('miden');
create or replace trigger evm_account_added after insert on guardian.evm_account
  referencing new table as changed
  for each statement execute function guardian.count_accounts('evm');
create or replace trigger evm_account_removed after delete on guardian.evm_account
  referencing old table as changed
  for each statement execute function guardian.count_accounts('evm');

-- Who: trigger of guardian.account, when a configuration changes the scheme.
create or replace function guardian.recount_account() returns trigger language plpgsql as $$
begin
  insert into guardian.account_count as c (auth_method, slot, accounts)
    values ('miden_' || old.auth_scheme, hashtext(new.account_id) & 15, -1),
           ('miden_' || new.auth_scheme, hashtext(new.account_id) & 15, 1)
    on conflict (auth_method, slot) do update set accounts = c.accounts + excluded.accounts;
  return null;
end
$$;
create or replace trigger account_scheme_changed
  after update of auth_scheme on guardian.account for each row
  when (old.auth_scheme is distinct from new.auth_scheme)
  execute function guardian.recount_account();

-- The accounts from before these triggers. Creating them has locked both tables against writers
-- until this transaction ends, so none is missed and none is counted twice.
insert into guardian.account_count (auth_method, slot, accounts)
  select method, slot, count(*) from (
    select 'miden_' || auth_scheme as method, hashtext(account_id) & 15 as slot
      from guardian.account
    union all
    select 'evm', hashtext(account_id) & 15 from guardian.evm_account
  ) stored
  where not exists (select 1 from guardian.account_count)
  group by 1, 2;

-- Who: every replica, once a minute; one at a time.
-- Locks: the row of canonical_count.
-- Index: delta_feed.
-- Why safe: status_timestamp is the start of the promoting transaction, and a statement lasts at
-- most half a minute, so nothing that is older than a minute can still appear.
-- p_most: rows counted at once; the first run on a database with history takes several.
-- Returns whether more is left to count.
create or replace function guardian.count_canonical(p_most integer)
returns boolean language plpgsql as $$
declare
  v_from timestamptz;
  v_through timestamptz := now() - interval '1 minute';
  v_next timestamptz;
  v_count bigint;
begin
  select counted_through into v_from from guardian.canonical_count for update skip locked;
  if not found then
    return false;
  end if;
  select status_timestamp into v_next from guardian.delta
    where status = 'canonical' and status_timestamp >= v_from
    order by status_timestamp offset p_most limit 1;
  -- deltas of one moment are counted together, so that the next run begins after them
  if v_next = v_from then
    v_next := v_next + interval '1 microsecond';
  end if;
  v_through := greatest(v_from, least(v_through, coalesce(v_next, v_through)));
  select count(*) into v_count from guardian.delta
    where status = 'canonical' and status_timestamp >= v_from and status_timestamp < v_through;
  update guardian.canonical_count
    set deltas = deltas + v_count, counted_through = v_through;
  return v_next is not null and v_next <= v_through;
end
$$;

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
) language plpgsql stable as $$
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
returns json language plpgsql immutable as $$
begin
  return case when json_typeof(p_payload -> 'metadata') = 'object' then p_payload -> 'metadata' end;
exception when others then
  return null;
end
$$;
create or replace function guardian.proposal_type(p_payload json)
returns text language plpgsql immutable as $$
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
) language plpgsql stable as $$
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
language plpgsql stable as $$
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

-- Who: GET /dashboard/info.
-- Index: delta_feed, which alone is read: what is in flight, what was given up, and what became
-- canonical since canonical_count was last moved on. Both readings are of one snapshot.
create or replace function guardian.delta_counts()
returns table (status text, deltas bigint) language plpgsql stable as $$
declare
  v_stored guardian.canonical_count;
begin
  select * into strict v_stored from guardian.canonical_count;
  return query
  select 'candidate', count(*) from guardian.delta d where d.status = 'candidate'
  union all
  select 'retained', count(*) from guardian.delta d where d.status = 'retained'
  union all
  select 'discarded', count(*) from guardian.delta d where d.status = 'discarded'
  union all
  select 'canonical', v_stored.deltas + count(*) from guardian.delta d
    where d.status = 'canonical' and d.status_timestamp >= v_stored.counted_through;
end
$$;

-- Who: GET /dashboard/info. When an account, a delta or a proposal last changed.
-- Index: delta_feed, account_active, account_paused, the same of EVM, proposal_feed: the first
-- entry of each.
create or replace function guardian.latest_activity()
returns timestamptz language sql stable as $$
  select max(at) from (
    select (select max(d.status_timestamp) from guardian.delta d where d.status = s.status) as at
      from (values ('candidate'), ('canonical'), ('retained'), ('discarded')) s (status)
    union all
    select max(metadata_updated_at) from guardian.account where paused_at is null
    union all
    select max(metadata_updated_at) from guardian.account where paused_at is not null
    union all
    select max(updated_at) from guardian.evm_account where paused_at is null
    union all
    select max(updated_at) from guardian.evm_account where paused_at is not null
    union all
    select max(created_at) from guardian.proposal
  ) last;
$$;
