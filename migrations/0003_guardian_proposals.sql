-- Guardian: proposals that cosigners sign before one of them pushes the delta, and look-ups by key.

-- A pending proposal; it is deleted when its delta becomes canonical. Its identity is the
-- commitment of the transaction summary, which is what cosigners sign.
create table guardian.proposal (
  account_id text not null references guardian.account on delete cascade,
  commitment text not null,
  nonce bigint not null check (nonce >= 0),
  prev_commitment text not null,
  proposer text not null,
  -- delta_payload without its signatures, as it was accepted (json: digits stay exact)
  payload json not null,
  created_at timestamptz not null default now(),
  primary key (account_id, commitment)
);
create index proposal_by_base on guardian.proposal (account_id, prev_commitment);

-- One row for each cosigner: signing appends, so simultaneous signers cannot lose one.
create table guardian.proposal_signature (
  account_id text not null,
  commitment text not null,
  signer_commitment text not null,
  signature json not null,
  signed_at timestamptz not null default clock_timestamp(),
  primary key (account_id, commitment, signer_commitment),
  foreign key (account_id, commitment) references guardian.proposal on delete cascade
);

-- Accounts of a key.
create index account_by_signer on guardian.account using gin (signer_commitments);
-- Canonical history of an account, newest first.
create index delta_history on guardian.delta (account_id, nonce desc) where status = 'canonical';
