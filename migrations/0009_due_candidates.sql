-- The sweep's index says all that the sweep asks, so that nothing else can use it. Before, it also
-- fitted "the unresolved candidates of a line": while the table was small Postgres took it for that
-- as gladly as candidate_unresolved, and a session that kept the plan read every waiting candidate
-- of the system for each claim of a burst.
-- Locks: reads and writes of canonry.candidate wait for one pass over the table.
drop index canonry.candidate_due;
create index candidate_due on canonry.candidate (next_attempt_at)
  where resolved_at is null and state = 'waiting';
