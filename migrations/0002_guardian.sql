-- Guardian: Miden accounts, their deltas, and per-signer replay protection.
create schema if not exists guardian;

create table guardian.account (
  account_id text primary key,
  -- raised by every change of the signer set: a request verified against an older set is
  -- verified again before it counts
  auth_version bigint not null default 1,
  auth_scheme text not null check (auth_scheme in ('falcon', 'ecdsa')),
  signer_commitments text[] not null,
  commitment text not null,
  state bytea not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  paused_at timestamptz,
  paused_reason text,
  released_at timestamptz
);

-- Newest accepted request timestamp of each signer. Updated by every signed request, so rows
-- leave room for heap-only updates.
create table guardian.signer_clock (
  account_id text not null references guardian.account on delete cascade,
  signer_commitment text not null,
  last_timestamp bigint not null,
  primary key (account_id, signer_commitment)
) with (fillfactor = 50);

create table guardian.delta (
  account_id text not null references guardian.account on delete cascade,
  nonce bigint not null check (nonce >= 0),
  candidate_id bigint not null references canonry.candidate,
  status text not null check (status in ('candidate', 'canonical', 'retained', 'discarded')),
  status_reason text check (status_reason in ('retry_exhausted', 'diverged', 'client_abandoned')),
  status_timestamp timestamptz not null default now(),
  prev_commitment text not null,
  new_commitment text not null,
  summary_commitment text not null,
  -- json, not jsonb: the client's numbers keep their digits
  payload json not null,
  ack_scheme text not null,
  ack_pubkey text not null,
  ack_signature text not null,
  retry_count integer not null default 0,
  divergence_count integer not null default 0,
  abandon_requested_at timestamptz,
  abandon_confirm_count integer not null default 0,
  -- looks of the reconcile pass at a delta that is no longer a candidate
  reconcile_count integer not null default 0,
  -- what push-time validation computed; promotion compares and writes, and then drops it
  result_state bytea,
  result_signers text[],
  result_bound_here boolean not null,
  primary key (account_id, nonce)
);

create index delta_by_candidate on guardian.delta (candidate_id);
-- The candidates of an account; few rows, so "one at a time" costs a look at one index entry.
create index delta_candidates on guardian.delta (account_id, candidate_id)
  where status = 'candidate';
-- What the reconcile pass of an account may still promote.
create index delta_unresolved on guardian.delta (account_id, status_timestamp)
  where status in ('retained', 'discarded');

-- The head of an account's line, with what the decision needs.
create type guardian.delta_head as (
  line_id bigint, fence bigint, candidate_id bigint, attempts integer, failures integer,
  due boolean, nonce bigint, prev_commitment text,
  -- candidates of the line in order, the head first: a chain that shows the result of a later
  -- one has passed all before it
  candidates bigint[], results text[],
  retry_count integer, divergence_count integer, abandon_confirm_count integer,
  age_seconds double precision, abandon_age_seconds double precision
);

insert into canonry.kind (task, follow_resolution)
  values ('canonicalize', 'guardian.follow_resolution'), ('reconcile', null);
