-- Guardian: login challenges and sessions that every replica honours. A realm is one kind of
-- login; realms share nothing but the tables.

create table guardian.auth_challenge (
  realm text not null,
  -- what the signature answers: unguessable, and used once
  challenge_key text not null,
  -- who claims to log in: a normalized address or key commitment
  principal text not null,
  -- what else verification needs
  payload json not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  consumed_at timestamptz,
  primary key (realm, challenge_key)
);
create index auth_challenge_live on guardian.auth_challenge (realm, principal, issued_at)
  where consumed_at is null;
create index auth_challenge_expiry on guardian.auth_challenge (expires_at);

-- A revoked session stays until it would have expired, so that nothing can bring it back.
create table guardian.auth_session (
  realm text not null,
  -- SHA-256: who reads the table learns no token
  token_digest bytea not null check (length(token_digest) = 32),
  subject text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  primary key (realm, token_digest)
);
create index auth_session_expiry on guardian.auth_session (expires_at);
