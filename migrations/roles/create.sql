-- Who: `npm run migrate -- --roles`, by an administrator, once for a database; again does no harm.
-- Group roles that nobody logs in as. They belong to the whole cluster, and other databases of it
-- may use them too, or create them at this moment. The migrator becomes the owner of everything;
-- whether it owns the schema canonry is how a database is known to use roles.
do $$
declare
  v_name text;
  v_change text;
begin
  foreach v_name in array array[
    'canonry_migrator', 'canonry_api', 'canonry_worker', 'canonry_operator', 'canonry_readonly'
  ] loop
    begin
      if to_regrole(v_name) is null then
        execute format('create role %I nologin', v_name);
      end if;
    exception when duplicate_object or unique_violation then
      null; -- somebody else has just created it
    end;
    execute format('grant connect on database %I to %I', current_database(), v_name);
  end loop;
  execute format('grant create on database %I to canonry_migrator', current_database());

  -- an administrator without superuser has to belong to a role before it can give to it
  begin
    if not pg_has_role(current_user, 'canonry_migrator', 'usage') then
      execute format('grant canonry_migrator to %I', current_user);
    end if;
  exception when unique_violation then
    null;
  end;
  -- doctor looks for old transactions of others; where this may not be granted it sees only its own
  begin
    if not pg_has_role('canonry_operator', 'pg_read_all_stats', 'usage') then
      grant pg_read_all_stats to canonry_operator;
    end if;
  exception when insufficient_privilege or unique_violation then
    raise notice 'pg_read_all_stats could not be granted to canonry_operator';
  end;

  for v_change in
    select format('schema %I', nspname) from pg_namespace
      where nspname in ('canonry', 'guardian', 'graphile_worker')
        and nspowner <> 'canonry_migrator'::regrole
    union all
    -- a sequence of a column goes with its table
    select format('%s %s', case c.relkind when 'S' then 'sequence' when 'v' then 'view'
        when 'c' then 'type' else 'table' end, c.oid::regclass)
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('canonry', 'guardian', 'graphile_worker')
        and c.relkind in ('r', 'p', 'v', 'c', 'S') and c.relowner <> 'canonry_migrator'::regrole
        and not exists (
          select 1 from pg_depend d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
            and d.refclassid = 'pg_class'::regclass and c.relkind = 'S'
        )
    union all
    select format('function %s', p.oid::regprocedure)
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('canonry', 'guardian', 'graphile_worker')
        and p.proowner <> 'canonry_migrator'::regrole
    union all
    select format('type %s', t.oid::regtype)
      from pg_type t join pg_namespace n on n.oid = t.typnamespace
      where n.nspname in ('canonry', 'guardian', 'graphile_worker')
        and t.typtype in ('d', 'e') and t.typowner <> 'canonry_migrator'::regrole
  loop
    execute format('alter %s owner to canonry_migrator', v_change);
  end loop;
end
$$;
