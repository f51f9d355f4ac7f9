-- The processes of the fleet.

-- Who: each process at its start and every half minute.
-- Locks: its own row, and the rows of those that went away.
-- Index: primary key; there are as many rows as processes.
-- Returns the settings in which living processes of this role differ from this one: their names.
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
    select distinct differing.name
    from canonry.replica r
    cross join lateral (
      select coalesce(mine.key, theirs.key) as name
      from json_each_text(p_settings) mine
      full join json_each_text(r.settings) theirs on theirs.key = mine.key
      where mine.value is distinct from theirs.value
    ) differing
    where r.replica_id <> p_replica_id and r.role = p_role
    order by 1;
end
$$;

-- Who: a process that stops on purpose.
create or replace function canonry.leave(p_replica_id text) returns void language sql as $$
  delete from canonry.replica where replica_id = p_replica_id;
$$;

-- Who: doctor. Every setting that is not the same on all living processes of a role.
create or replace function canonry.mixed_settings(p_silent_seconds double precision)
returns table (role text, setting text, variants bigint) language sql stable as $$
  with alive as (
    select r.role, r.replica_id, r.settings from canonry.replica r
      where r.seen_at >= clock_timestamp() - make_interval(secs => p_silent_seconds)
  ), size as (
    select role, count(*) as replicas from alive group by role
  )
  select a.role, s.key, count(distinct s.value) + (count(*) < max(z.replicas))::int
  from alive a
  join size z using (role)
  cross join lateral json_each_text(a.settings) s
  group by a.role, s.key
  having count(distinct s.value) > 1 or count(*) < max(z.replicas)
  order by 1, 2;
$$;
