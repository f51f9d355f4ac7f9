-- Guardian: ERC-7579 smart accounts on EVM chains, and the user operations their signers approve.
-- Addresses, hashes and signatures are 0x and lower-case hex.

create table guardian.evm_account (
  -- evm:CHAIN:ADDRESS
  account_id text primary key,
  chain_id bigint not null check (chain_id > 0),
  address text not null,
  -- the multisig validator module that knows the signers
  validator text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  paused_at timestamptz,
  paused_reason text,
  released_at timestamptz
);

create table guardian.evm_proposal (
  account_id text not null references guardian.evm_account on delete cascade,
  proposal_id text not null,
  validator text not null,
  user_op_hash text not null,
  payload text not null,
  -- uint256; the upper 192 bits name one of the account's nonce sequences
  nonce numeric(78, 0) not null check (nonce >= 0),
  nonce_key numeric(78, 0) not null,
  proposer text not null,
  -- who may see and sign it: the chain's answer when it was proposed
  signer_snapshot text[] not null,
  threshold integer not null check (threshold > 0),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- the EntryPoint was seen past this nonce. A mark, not a deletion: a node that lies or a
  -- reorganization can take it back
  nonce_used_at timestamptz,
  primary key (account_id, proposal_id)
);
create index evm_proposal_by_age on guardian.evm_proposal (account_id, created_at);
create index evm_proposal_expiry on guardian.evm_proposal (expires_at);

-- One row for each signer: signing appends, so simultaneous signers cannot lose one.
create table guardian.evm_signature (
  account_id text not null,
  proposal_id text not null,
  signer text not null,
  signature text not null,
  signed_at timestamptz not null,
  primary key (account_id, proposal_id, signer),
  foreign key (account_id, proposal_id) references guardian.evm_proposal on delete cascade
);
