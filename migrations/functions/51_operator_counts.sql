-- Guardian: what the dashboard's counts rest on.

-- Who: trigger of guardian.account, only when a row's metadata differs (the condition is the
-- trigger's, so that a promotion pays for a comparison and nothing else).
-- The account list is ordered by this time; a release is put on record with it.
create or replace function guardian.note_account_change() returns trigger language plpgsql
as $$
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
create or replace function guardian.count_accounts() returns trigger language plpgsql
as $$
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
create or replace function guardian.recount_account() returns trigger language plpgsql
as $$
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
returns boolean language plpgsql set enable_seqscan = off set jit = off as $$
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

-- Who: GET /dashboard/info.
-- Index: delta_feed, which alone is read: what is in flight, what was given up, and what became
-- canonical since canonical_count was last moved on. Both readings are of one snapshot.
create or replace function guardian.delta_counts()
returns table (status text, deltas bigint) language plpgsql stable
set enable_seqscan = off set jit = off as $$
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
