-- The finalization kernel: lines of candidates. It knows no domain; a domain joins its own
-- rows to a candidate by candidate_id.
create schema if not exists canonry;

-- What kinds of lines there are. A domain adds its row in its own migration.
create table canonry.kind (
  -- graphile-worker task that drains lines of this kind
  task text primary key,
  -- SQL function (candidate_id bigint, state text, why text) that a domain wants called, in the
  -- same transaction, when something other than the domain itself resolves a candidate
  follow_resolution text
);

-- One row for each account of each task. The fence only grows: whoever claims the line raises
-- it, and every later write names the fence it was made under.
create table canonry.line (
  line_id bigint generated always as identity primary key,
  task text not null,
  account text not null,
  fence bigint not null default 0,
  holder text,
  claimed_at timestamptz,
  unique (account, task)
);

-- Finds what a dead worker held. Empty but for the claims of this moment.
create index line_held on canonry.line (holder) where holder is not null;

-- A candidate is in exactly one state. While it is unresolved (waiting or halted), the row says
-- why, and until when it waits. A halted one waits for a person.
create table canonry.candidate (
  candidate_id bigint generated always as identity primary key,
  line_id bigint not null references canonry.line,
  state text not null default 'waiting'
    check (state in ('waiting', 'halted', 'finalized', 'parked', 'discarded')),
  why text not null default 'submitted',
  -- looks at the outside world
  attempts integer not null default 0,
  -- unexpected failures; they are what a retry policy counts
  failures integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_error text,
  submitted_at timestamptz not null default now(),
  resolved_at timestamptz,
  check ((resolved_at is null) = (state in ('waiting', 'halted')))
);

-- The head of a line is the first entry of this index for the line; resolved rows leave it,
-- so its size is the number of unresolved candidates.
create index candidate_unresolved on canonry.candidate (line_id, candidate_id)
  where resolved_at is null;
-- The sweep looks at the longest due first.
create index candidate_due on canonry.candidate (next_attempt_at) where resolved_at is null;
-- What a person has to look at.
create index candidate_halted on canonry.candidate (candidate_id) where state = 'halted';

-- One heartbeat row for each worker process, renewed on the database clock.
create table canonry.worker (
  worker_id text primary key,
  started_at timestamptz not null default clock_timestamp(),
  beat_at timestamptz not null default clock_timestamp()
);

-- What people and policies did to candidates. Append-only.
create table canonry.audit (
  audit_id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  action text not null,
  candidate_id bigint not null,
  task text not null,
  account text not null,
  reason text not null
);
create index audit_account on canonry.audit (account, audit_id);

create function canonry.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'canonry.audit is append-only';
end
$$;
create trigger audit_append_only before update or delete on canonry.audit
  for each row execute function canonry.refuse_change();

-- What a claim answers: the oldest unresolved candidate of the line and the fence to write under.
create type canonry.head as (
  line_id bigint, fence bigint, candidate_id bigint, attempts integer, failures integer,
  due boolean, submitted_at timestamptz
);
