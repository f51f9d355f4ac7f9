-- Guardian: encryption of account data at rest. The database never sees a key: states, payloads and
-- proposals come and go as envelopes, and these functions keep the two kinds of store apart.

-- Who: every API process with a key, at its start.
-- Locks: both account tables against writers while the store is looked at for the first time.
-- Why safe: an empty store is marked under those locks, so no account can come in between; two
-- processes that start at the same time find one marker.
-- p_key_id, p_probe: the active key and something that only it opens; used when there is no marker.
-- Returns 'marked' with what the marker says, or 'populated': the store holds data in the clear.
create or replace function guardian.mark_encrypted(
  p_key_id text, p_probe json, out outcome text, out initial_key_id text, out probe json
) language plpgsql set enable_seqscan = off set jit = off as $$
begin
  outcome := 'marked';
  select e.initial_key_id, e.probe into initial_key_id, probe from guardian.storage_encryption e;
  if found then
    return;
  end if;
  lock table guardian.account, guardian.evm_account in share row exclusive mode;
  select e.initial_key_id, e.probe into initial_key_id, probe from guardian.storage_encryption e;
  if found then
    return;
  end if;
  if exists (select 1 from guardian.account) or exists (select 1 from guardian.evm_account) then
    outcome := 'populated';
    return;
  end if;
  initial_key_id := p_key_id;
  probe := p_probe;
  insert into guardian.storage_encryption (initial_key_id, probe) values (p_key_id, p_probe);
end
$$;

-- Who: the triggers below. A process without a key that was running before the store was marked
-- would go on writing in the clear; without accounts of its own it has nothing to write about.
create or replace function guardian.refuse_clear_text() returns trigger language plpgsql
as $$
begin
  if exists (select 1 from guardian.storage_encryption) then
    raise exception 'the store is encrypted, and this process has no key';
  end if;
  return new;
end
$$;
-- an envelope begins with {"v":1,
create or replace trigger account_in_clear_text
  before insert on guardian.account for each row
  when (substring(new.state for 7) is distinct from '\x7b2276223a312c'::bytea)
  execute function guardian.refuse_clear_text();
create or replace trigger evm_proposal_in_clear_text
  before insert on guardian.evm_proposal for each row
  when (left(new.payload, 7) is distinct from '{"v":1,')
  execute function guardian.refuse_clear_text();

-- Who: the operators' lists of proposals. What only their reader can open, up to a length that a page
-- of them can have; null in a store that is not encrypted.
create or replace function guardian.sealed_document(p_payload json, p_longest integer)
returns text language sql stable as $$
  select p_payload::text
  where exists (select 1 from guardian.storage_encryption)
    and octet_length(p_payload::text) <= p_longest;
$$;
