-- Guardian: login challenges and sessions (protocol §5.1). The database's clock decides every
-- expiry, so replicas need not agree on the time.

-- Who: the challenge route of a realm.
-- Locks: an advisory lock of the transaction on realm and principal.
-- Index: auth_challenge_live.
-- Why safe: issuers of one principal take turns, so that no more than p_most are live however many
-- ask at once; the oldest go.
-- Returns when the challenge was issued and when it expires.
create or replace function guardian.issue_challenge(
  p_realm text, p_challenge_key text, p_principal text, p_payload json,
  p_seconds integer, p_most integer,
  out issued_at timestamptz, out expires_at timestamptz
) language plpgsql set enable_seqscan = off set jit = off as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(p_realm || ' ' || p_principal, 7161005377002));
  -- read after the lock: the order of issuing is the order of these times
  issued_at := clock_timestamp();
  expires_at := issued_at + make_interval(secs => p_seconds);
  -- by place, as in sweep_sessions; the lock keeps the places
  delete from guardian.auth_challenge where ctid = any (array(
    select l.ctid from guardian.auth_challenge l
    where l.realm = p_realm and l.principal = p_principal and l.consumed_at is null
    order by l.issued_at desc, l.challenge_key offset p_most - 1
    for update
  ));
  insert into guardian.auth_challenge
      (realm, challenge_key, principal, payload, issued_at, expires_at)
    values (p_realm, p_challenge_key, p_principal, p_payload, issued_at, expires_at);
end
$$;

-- Who: the verifying route of a realm, before it looks at a signature.
-- Index: auth_challenge_live; at most p_most rows of issue_challenge.
-- A read only: open_session decides.
create or replace function guardian.live_challenges(p_realm text, p_principal text)
returns setof guardian.auth_challenge language sql stable as $$
  select * from guardian.auth_challenge
  where realm = p_realm and principal = p_principal
    and consumed_at is null and clock_timestamp() < expires_at
  order by issued_at desc;
$$;

-- Who: the verifying route of a realm, after the signature over the challenge was verified.
-- Locks: the challenge row.
-- Index: primary keys.
-- Why safe: one conditional update consumes the challenge, so that of any number of replicas one
-- wins; the session commits with it or not at all.
-- Returns when the session expires, or null when the challenge is not live any more.
create or replace function guardian.open_session(
  p_realm text, p_challenge_key text, p_principal text,
  p_token_digest bytea, p_subject text, p_seconds integer
) returns timestamptz language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  update guardian.auth_challenge set consumed_at = v_now
    where realm = p_realm and challenge_key = p_challenge_key and principal = p_principal
      and consumed_at is null and v_now < expires_at;
  if not found then
    return null;
  end if;
  insert into guardian.auth_session (realm, token_digest, subject, created_at, expires_at)
    values (p_realm, p_token_digest, p_subject, v_now, v_now + make_interval(secs => p_seconds));
  return v_now + make_interval(secs => p_seconds);
end
$$;

-- Who: every route that needs a session.
-- Index: primary key.
-- Returns whose session it is, or null.
create or replace function guardian.session_subject(p_realm text, p_token_digest bytea)
returns text language sql stable as $$
  select subject from guardian.auth_session
  where realm = p_realm and token_digest = p_token_digest
    and revoked_at is null and clock_timestamp() < expires_at;
$$;

-- Who: the logout route of a realm.
-- Locks: the session row.
-- Index: primary key.
-- Why safe: the row stays until its natural expiry, so the token stays refused.
create or replace function guardian.revoke_session(p_realm text, p_token_digest bytea)
returns void language sql as $$
  update guardian.auth_session set revoked_at = clock_timestamp()
  where realm = p_realm and token_digest = p_token_digest and revoked_at is null;
$$;

-- Who: every replica, once a minute.
-- Locks: the rows it removes; those that another sweeper holds are left to it.
-- Index: auth_challenge_expiry, auth_session_expiry; then by place, because a join of an unknown
-- number of rows is planned over the whole table. The lock keeps the places. The clock is read once,
-- in a subquery: compared with the clock itself, no index ends the scan.
-- Why safe: expired rows decide nothing any more.
-- Returns how many rows went, at most p_rows of each table.
create or replace function guardian.sweep_sessions(p_rows integer)
returns integer language sql as $$
  with challenges as (
    delete from guardian.auth_challenge where ctid = any (array(
      select ctid from guardian.auth_challenge
      where expires_at <= (select clock_timestamp())
      order by expires_at limit p_rows for update skip locked))
    returning 1
  ), sessions as (
    delete from guardian.auth_session where ctid = any (array(
      select ctid from guardian.auth_session
      where expires_at <= (select clock_timestamp())
      order by expires_at limit p_rows for update skip locked))
    returning 1
  )
  select ((select count(*) from challenges) + (select count(*) from sessions))::integer;
$$;
