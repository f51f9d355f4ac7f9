-- Guardian: what operators look at and do (protocol §1.5, §3, §7).

-- What was done to accounts by people or by the service itself, and what was denied.
create table guardian.admin_action (
  id bigint generated always as identity primary key,
  occurred_at timestamptz not null default clock_timestamp(),
  -- an operator's key commitment, or 'system'
  operator_identity text not null,
  action_kind text not null check (
    action_kind in ('auth.denied', 'accounts.pause', 'accounts.unpause', 'accounts.release')
  ),
  target_account_id text,
  payload json not null,
  outcome text not null check (outcome in ('success', 'denied')),
  error_code text,
  client_ip text
);
create index admin_action_by_time on guardian.admin_action (occurred_at desc);
create index admin_action_by_account on guardian.admin_action (target_account_id, occurred_at desc);

-- The order of the account list. Promotions do not write it unless they change who signs or
-- release the account: an index on updated_at would cost every promotion its heap-only update.
alter table guardian.account add column metadata_updated_at timestamptz not null default now();
update guardian.account set metadata_updated_at = updated_at;
create index account_active on guardian.account (metadata_updated_at desc, account_id)
  where paused_at is null;
create index account_paused on guardian.account (metadata_updated_at desc, account_id)
  where paused_at is not null;
create index evm_account_active on guardian.evm_account (updated_at desc, account_id)
  where paused_at is null;
create index evm_account_paused on guardian.evm_account (updated_at desc, account_id)
  where paused_at is not null;

-- The feed of deltas, one range for each status.
create index delta_feed on guardian.delta (status, status_timestamp desc, account_id, nonce);

-- What the proposal said of a delta that was pushed from one: its metadata.
alter table guardian.delta add column proposal json;

create index proposal_feed
  on guardian.proposal (created_at desc, account_id, nonce, commitment);
create index proposal_by_nonce
  on guardian.proposal (account_id, nonce desc, commitment desc);

-- Counts of accounts by how they are signed for, in sixteen parts so that simultaneous
-- configurations of different accounts seldom wait for each other.
create table guardian.account_count (
  auth_method text not null check (auth_method in ('miden_falcon', 'miden_ecdsa', 'evm')),
  slot integer not null check (slot between 0 and 15),
  accounts bigint not null,
  primary key (auth_method, slot)
) with (fillfactor = 50);

-- Canonical deltas that became so before `counted_through`. A canonical delta stays one, so this
-- is counted once; what is younger is counted when somebody asks.
create table guardian.canonical_count (
  id boolean primary key default true check (id),
  deltas bigint not null,
  counted_through timestamptz not null
);
insert into guardian.canonical_count (deltas, counted_through)
  values (0, '-infinity');
