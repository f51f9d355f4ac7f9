-- Whether account data is stored encrypted (src/guardian/storage): one row once it is, for good.
create table guardian.storage_encryption (
  id boolean primary key default true check (id),
  -- the key the store began with; it has to stay known for as long as the store lives
  initial_key_id text not null,
  -- something that only this key opens
  probe json not null,
  marked_at timestamptz not null default clock_timestamp()
);
