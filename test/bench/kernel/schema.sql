-- A domain for the benchmarks alone, built on the kernel as Guardian is: one function for each
-- decision, each in one statement of its caller.
create schema bench;

create table bench.account (
  account text primary key,
  balance bigint not null default 0,
  finalized bigint not null default 0
);

create table bench.payment (
  candidate_id bigint primary key,
  account text not null,
  seq bigint not null
);

-- What happened, in the order it happened. The receipt is the chain's answer: an effect
-- without the right one was not looked up.
create table bench.effect (
  pos bigint generated always as identity primary key,
  account text not null,
  candidate_id bigint not null,
  seq bigint not null,
  receipt text,
  at timestamptz not null default clock_timestamp()
);

-- not unique: what happened twice has to be seen
create index effect_candidate on bench.effect (candidate_id);

create type bench.head as (
  line_id bigint, fence bigint, candidate_id bigint, attempts integer, failures integer,
  due boolean, seq bigint
);

-- Locks: the account row, so that candidates get their ids in commit order.
create function bench.submit(p_account text, p_seq bigint, p_queue_name text)
returns bigint language plpgsql set enable_seqscan = off set jit = off as $$
declare
  v_candidate_id bigint;
begin
  perform 1 from bench.account where account = p_account for no key update;
  v_candidate_id := canonry.submit('settle', p_account, p_queue_name);
  insert into bench.payment (candidate_id, account, seq)
    values (v_candidate_id, p_account, p_seq);
  return v_candidate_id;
end
$$;

-- A long line of one account that nothing has woken yet.
create function bench.lay_line(p_account text, p_from bigint, p_through bigint)
returns void language plpgsql set enable_seqscan = off set jit = off as $$
begin
  perform 1 from bench.account where account = p_account for no key update;
  insert into bench.payment (candidate_id, account, seq)
    select canonry.add_candidate('settle', p_account), p_account, seq
    from generate_series(p_from, p_through) seq;
end
$$;

create function bench.payment_of(p_head canonry.head) returns bench.head
language plpgsql as $$
declare
  v_seq bigint;
begin
  select seq into v_seq from bench.payment where candidate_id = p_head.candidate_id;
  return row(p_head.line_id, p_head.fence, p_head.candidate_id, p_head.attempts, p_head.failures,
    p_head.due, v_seq)::bench.head;
end
$$;

create function bench.claim(p_account text, p_holder text, p_claim_seconds double precision)
returns bench.head language plpgsql set enable_seqscan = off set jit = off as $$
declare
  head canonry.head := canonry.claim('settle', p_account, p_holder, p_claim_seconds);
begin
  if head.line_id is null then
    return null;
  end if;
  return bench.payment_of(head);
end
$$;

-- Locks: account row, line row. One look-up, one fenced write.
create function bench.finalize(
  p_account text, p_line_id bigint, p_fence bigint, p_candidate_id bigint, p_receipt text,
  out outcome text, out next bench.head
) language plpgsql set enable_seqscan = off set jit = off as $$
begin
  perform 1 from bench.account where account = p_account for no key update;
  if not canonry.holds(p_line_id, p_fence) then
    outcome := 'fenced';
    return;
  end if;
  perform canonry.resolve(p_candidate_id, 'finalized', 'settled');
  insert into bench.effect (account, candidate_id, seq, receipt)
    select p.account, p.candidate_id, p.seq, p_receipt
    from bench.payment p where p.candidate_id = p_candidate_id;
  update bench.account set balance = balance + 1, finalized = finalized + 1
    where account = p_account;
  outcome := 'finalized';
  next := bench.payment_of(canonry.next_head(p_line_id, p_fence));
end
$$;

-- The same for decisions that need no look-up: up to p_limit in one transaction.
create function bench.finalize_batch(
  p_account text, p_line_id bigint, p_fence bigint, p_candidate_id bigint, p_limit integer,
  out outcome text, out decided integer, out next bench.head
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  head canonry.head;
begin
  perform 1 from bench.account where account = p_account for no key update;
  decided := 0;
  if not canonry.holds(p_line_id, p_fence) then
    outcome := 'fenced';
    return;
  end if;
  head.candidate_id := p_candidate_id;
  head.due := true;
  while decided < p_limit and head.candidate_id is not null and head.due loop
    perform canonry.resolve(head.candidate_id, 'finalized', 'settled');
    insert into bench.effect (account, candidate_id, seq)
      select p.account, p.candidate_id, p.seq
      from bench.payment p where p.candidate_id = head.candidate_id;
    decided := decided + 1;
    head := canonry.next_head(p_line_id, p_fence);
  end loop;
  update bench.account set balance = balance + decided, finalized = finalized + decided
    where account = p_account;
  outcome := 'finalized';
  next := bench.payment_of(head);
end
$$;

-- The first unresolved payments of a line, so that all of them can be looked up at once.
create function bench.upcoming(p_line_id bigint, p_limit integer)
returns table (candidate_id bigint, seq bigint) language sql stable as $$
  select c.candidate_id, p.seq
  from canonry.candidate c join bench.payment p using (candidate_id)
  where c.line_id = p_line_id and c.resolved_at is null
  order by c.candidate_id limit p_limit;
$$;

-- Several candidates that have been looked up, from the head of the line, in one transaction.
create function bench.finalize_looked(
  p_account text, p_line_id bigint, p_fence bigint, p_candidate_ids bigint[], p_receipts text[],
  out outcome text, out next bench.head
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  head canonry.head;
begin
  perform 1 from bench.account where account = p_account for no key update;
  if not canonry.holds(p_line_id, p_fence) then
    outcome := 'fenced';
    return;
  end if;
  for n in 1..cardinality(p_candidate_ids) loop
    perform canonry.resolve(p_candidate_ids[n], 'finalized', 'settled');
    insert into bench.effect (account, candidate_id, seq, receipt)
      select p.account, p.candidate_id, p.seq, p_receipts[n]
      from bench.payment p where p.candidate_id = p_candidate_ids[n];
  end loop;
  head := canonry.next_head(p_line_id, p_fence);
  update bench.account
    set balance = balance + cardinality(p_candidate_ids),
        finalized = finalized + cardinality(p_candidate_ids)
    where account = p_account;
  outcome := 'finalized';
  next := bench.payment_of(head);
end
$$;
