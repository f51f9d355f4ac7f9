-- Guardian: operators' logins and what they do to accounts (protocol §1.5, §7).

-- Who: the challenge route, for a key that is not an operator's.
-- Locks: as issue_challenge, so that those who ask for one key at once take turns here too.
-- Writes no row, but as much log as issuing a challenge, and waits for it in the same way: the time
-- it takes tells nobody who is an operator.
-- Returns when such a challenge would expire.
drop function if exists guardian.decoy_challenge(text, integer);
create or replace function guardian.decoy_challenge(
  p_challenge_key text, p_seconds integer,
  p_principal text default null -- processes of an earlier version leave it out
) returns timestamptz language plpgsql set enable_seqscan = off set jit = off as $$
begin
  perform pg_advisory_xact_lock(
    hashtextextended('operator ' || coalesce(p_principal, p_challenge_key), 7161005377002));
  perform pg_logical_emit_message(true, 'guardian', repeat(p_challenge_key, 4));
  return clock_timestamp() + make_interval(secs => p_seconds);
end
$$;

-- Who: triggers of guardian.admin_action.
create or replace function guardian.refuse_change() returns trigger language plpgsql
as $$
begin
  raise exception 'guardian.% is append-only', tg_table_name;
end
$$;
create or replace trigger admin_action_append_only
  before update or delete on guardian.admin_action
  for each row execute function guardian.refuse_change();
create or replace trigger admin_action_keep
  before truncate on guardian.admin_action
  for each statement execute function guardian.refuse_change();

-- Who: every dashboard route that refuses an operator for want of a permission.
-- Locks: none.
-- A function, so that whoever may call it can put nothing else on record.
create or replace function guardian.record_denial(
  p_operator text, p_account_id text, p_payload json, p_error_code text, p_client_ip text
) returns void language sql as $$
  insert into guardian.admin_action (operator_identity, action_kind, target_account_id, payload,
      outcome, error_code, client_ip)
    values (p_operator, 'auth.denied', p_account_id, p_payload, 'denied', p_error_code, p_client_ip);
$$;

-- Who: POST /dashboard/accounts/{id}/pause.
-- Locks: the account row.
-- Index: primary keys.
-- Why safe: every route that changes an account looks at paused_at under the same row lock; state
-- and audit row commit together. A paused account keeps its time and reason.
-- Returns no row when there is no such account.
create or replace function guardian.pause_account(
  p_account_id text, p_operator text, p_reason text, p_client_ip text
) returns table (before_state text, paused_since timestamptz, reason text)
language plpgsql set enable_seqscan = off set jit = off as $$
begin
  select a.paused_at, a.paused_reason into paused_since, reason
    from guardian.account a where a.account_id = p_account_id for no key update;
  if not found then
    select a.paused_at, a.paused_reason into paused_since, reason
      from guardian.evm_account a where a.account_id = p_account_id for no key update;
    if not found then
      return;
    end if;
  end if;
  before_state := case when paused_since is null then 'active' else 'paused' end;
  if paused_since is null then
    paused_since := clock_timestamp();
    reason := p_reason;
    update guardian.account a set paused_at = paused_since, paused_reason = p_reason
      where a.account_id = p_account_id;
    update guardian.evm_account a
      set paused_at = paused_since, paused_reason = p_reason, updated_at = now()
      where a.account_id = p_account_id;
  end if;
  insert into guardian.admin_action
      (operator_identity, action_kind, target_account_id, payload, outcome, client_ip)
    values (p_operator, 'accounts.pause', p_account_id,
      json_build_object('reason', p_reason, 'before_state', before_state, 'after_state', 'paused'),
      'success', p_client_ip);
  return next;
end
$$;

-- Who: POST /dashboard/accounts/{id}/unpause. As pause_account.
-- Returns the state before, or null when there is no such account.
create or replace function guardian.unpause_account(
  p_account_id text, p_operator text, p_reason text, p_client_ip text
) returns text language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_paused_at timestamptz;
  v_before text;
begin
  select paused_at into v_paused_at
    from guardian.account where account_id = p_account_id for no key update;
  if not found then
    select paused_at into v_paused_at
      from guardian.evm_account where account_id = p_account_id for no key update;
    if not found then
      return null;
    end if;
  end if;
  v_before := case when v_paused_at is null then 'active' else 'paused' end;
  if v_paused_at is not null then
    update guardian.account set paused_at = null, paused_reason = null
      where account_id = p_account_id;
    update guardian.evm_account set paused_at = null, paused_reason = null, updated_at = now()
      where account_id = p_account_id;
  end if;
  insert into guardian.admin_action
      (operator_identity, action_kind, target_account_id, payload, outcome, client_ip)
    values (p_operator, 'accounts.unpause', p_account_id,
      json_build_object('reason', p_reason, 'before_state', v_before, 'after_state', 'active'),
      'success', p_client_ip);
  return v_before;
end
$$;
