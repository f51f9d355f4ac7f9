-- The finalization kernel: lines of candidates. It knows no domain; a domain joins its own
-- rows to a candidate by candidate_id.
create schema if not exists canonry;

-- One row for each account of each task. The fence only grows: whoever claims the line raises
-- it, and every later write names the fence it was made under.
create table canonry.line (
  line_id bigint generated always as identity primary key,
  task text not null,
  account text not null,
  fence bigint not null default 0,
  holder text,
  claimed_at timestamptz,
  unique (task, account)
);

-- Finds what a dead worker held. Empty but for the claims of this moment.
create index line_held on canonry.line (holder) where holder is not null;

-- A candidate is in exactly one state. While it waits, the row says why and until when.
create table canonry.candidate (
  candidate_id bigint generated always as identity primary key,
  line_id bigint not null references canonry.line,
  state text not null default 'waiting'
    check (state in ('waiting', 'finalized', 'parked', 'discarded')),
  why text not null default 'submitted',
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_error text,
  submitted_at timestamptz not null default now(),
  resolved_at timestamptz
);

-- The head of a line is the first entry of this index for the line; resolved rows leave it,
-- so its size is the number of waiting candidates.
create index candidate_waiting on canonry.candidate (line_id, candidate_id)
  where state = 'waiting';

-- One heartbeat row for each worker process, renewed on the database clock.
create table canonry.worker (
  worker_id text primary key,
  started_at timestamptz not null default clock_timestamp(),
  beat_at timestamptz not null default clock_timestamp()
);

-- What a claim answers: the oldest waiting candidate of the line and the fence to write under.
create type canonry.head as (
  line_id bigint, fence bigint, candidate_id bigint, attempts integer, why text,
  due boolean, submitted_at timestamptz, next_attempt_at timestamptz
);
