-- The same payments and effects for job engines that know no candidates: one job a payment.
create sequence bench.peer_candidate;

-- A job that runs again finds its payment done, and is counted.
create unique index effect_once on bench.effect (candidate_id);

-- Every time a payment was finalized once more.
create table bench.peer_repeat (candidate_id bigint not null);

-- Locks: the account row. Notes only, when the payment has its effect already, that it was asked.
create function bench.peer_finalize(p_account text, p_candidate_id bigint, p_receipt text)
returns void language plpgsql set enable_seqscan = off set jit = off as $$
begin
  perform 1 from bench.account where account = p_account for no key update;
  insert into bench.effect (account, candidate_id, seq, receipt)
    select p.account, p.candidate_id, p.seq, p_receipt
    from bench.payment p where p.candidate_id = p_candidate_id
    on conflict (candidate_id) do nothing;
  if found then
    update bench.account set balance = balance + 1, finalized = finalized + 1
      where account = p_account;
  else
    insert into bench.peer_repeat values (p_candidate_id);
  end if;
end
$$;
