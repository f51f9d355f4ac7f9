-- The processes of the fleet and how they are configured, so that a mixed configuration is seen.
create table canonry.replica (
  replica_id text primary key,
  role text not null,
  -- what has to be equal on every replica: names and values; secrets as fingerprints only
  settings json not null,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);
