-- The processes of the fleet.

-- Who: each process at its start and every half minute.
-- Locks: its own row, and the rows of those that went away.
-- Index: primary key; there are as many rows as processes.
-- Returns the settings in which living processes differ from this one: their names. What only one of
-- two announces is no difference: roles have settings of their own, and the version before has fewer.
-- Nor is what is named own:, which a machine may have as it likes.
create or replace function canonry.announce(
  p_replica_id text, p_role text, p_settings json, p_silent_seconds double precision
) returns setof text language plpgsql set enable_seqscan = off set jit = off as $$
begin
  insert into canonry.replica (replica_id, role, settings)
    values (p_replica_id, p_role, p_settings)
    on conflict (replica_id) do update set settings = excluded.settings,
      seen_at = clock_timestamp();
  delete from canonry.replica
    where replica_id in (
      select replica_id from canonry.replica
        where seen_at < clock_timestamp() - make_interval(secs => p_silent_seconds)
        for update skip locked
    );
  return query
    select distinct mine.key
    from canonry.replica r
    cross join lateral json_each_text(r.settings) theirs
    join json_each_text(p_settings) mine on mine.key = theirs.key and mine.value <> theirs.value
    where r.replica_id <> p_replica_id and not starts_with(mine.key, 'own:')
    order by 1;
end
$$;

-- Who: a process that stops on purpose.
create or replace function canonry.leave(p_replica_id text) returns void language sql as $$
  delete from canonry.replica where replica_id = p_replica_id;
$$;

-- Who: doctor. The settings of all living processes.
-- Of what may hold a secret or its fingerprint it says only which values are the same: `variant`.
create or replace function canonry.announced(p_silent_seconds double precision)
returns table (replica_id text, role text, setting text, variant bigint, value text)
language sql stable as $$
  select r.replica_id, r.role, s.key,
         case when starts_with(s.key, 'own:') then 1
           else dense_rank() over (partition by s.key order by s.value) end,
         case when s.key in ('version', 'stage', 'WAKE_QUEUE', 'GUARDIAN_NETWORK_TYPE',
           'GUARDIAN_MIDEN_RPC_TIMEOUT_MS', 'own:GUARDIAN_DB_POOL_MAX_SIZE') then s.value end
  from canonry.replica r
  cross join lateral json_each_text(r.settings) s
  where r.seen_at >= clock_timestamp() - make_interval(secs => p_silent_seconds)
  order by s.key, s.value, r.replica_id;
$$;

-- Who: the doctor of the version before, during a deploy.
create or replace function canonry.mixed_settings(p_silent_seconds double precision)
returns table (role text, setting text, variants bigint) language sql stable as $$
  select string_agg(distinct a.role, ', '), a.setting, max(a.variant)
  from canonry.announced(p_silent_seconds) a
  group by a.setting having max(a.variant) > 1
  order by a.setting;
$$;
