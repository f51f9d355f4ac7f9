/** What the runs work on, and what they left behind. */
import type { Sql } from '../../../src/database/connect.ts';

export interface Load {
  accounts: number;
  /** Candidates of each account. */
  each: number;
  wakeQueue: 'account' | 'none';
  /** Accounts are named from this number on. */
  from?: number;
}

/** Submits in one transaction: keeps the set-up short, each submit is the real one. */
const submitsPerTransaction = 500;

export async function createAccounts(sql: Sql, { accounts, from = 1 }: Load): Promise<void> {
  await sql`insert into bench.account (account)
    select 'a' || n from generate_series(${from}::int, ${from + accounts - 1}::int) n`;
}

/** Submits every candidate of the load through the domain's own function, in rounds. */
export async function submitAll(sql: Sql, load: Load, fromSeq = 1): Promise<void> {
  const { accounts, each, wakeQueue, from = 1 } = load;
  for (let seq = fromSeq; seq < fromSeq + each; seq++) {
    const starts: number[] = [];
    for (let at = 0; at < accounts; at += submitsPerTransaction) starts.push(at);
    const lane = async (): Promise<void> => {
      for (let at = starts.shift(); at !== undefined; at = starts.shift()) {
        const first = from + at;
        const last = from + Math.min(at + submitsPerTransaction, accounts) - 1;
        await sql`select count(bench.submit('a' || n, ${seq}::bigint,
            case when ${wakeQueue === 'account'} then 'account:a' || n end))
          from generate_series(${first}::int, ${last}::int) n`;
      }
    };
    await Promise.all([lane(), lane()]);
  }
}

/** Submits one candidate as a request does: one statement, one commit. */
export async function submitOne(
  sql: Sql,
  account: number,
  seq: number,
  wakeQueue: 'account' | 'none',
): Promise<void> {
  await sql`select bench.submit(${`a${account}`}, ${seq},
    ${wakeQueue === 'account' ? `account:a${account}` : null})`;
}

/** Settled statistics and a flushed log, so that a run pays for itself only. */
export async function settleDown(sql: Sql): Promise<void> {
  await sql`vacuum analyze`;
  await sql`checkpoint`;
}

export interface Verdict {
  /** Effects of one account out of the order of its candidates. */
  order_violations: number;
  /** Payments without an effect. */
  lost: number;
  /** Effects beyond the first of a payment, and account totals that differ from the effects. */
  duplicates: number;
  /** Effects that do not carry the chain's answer. */
  without_answer: number;
}

/** Compares what happened with what was submitted. */
export async function judge(sql: Sql, secret: string | null): Promise<Verdict> {
  const [row] = await sql<Record<keyof Verdict, bigint>[]>`
    select
      (select count(*) from (
        select candidate_id < lag(candidate_id) over line as late,
               seq <= lag(seq) over line as swapped
        from bench.effect window line as (partition by account order by pos)
      ) e where late or swapped) as order_violations,
      (select count(*) from bench.payment p
        where not exists (select 1 from bench.effect e where e.candidate_id = p.candidate_id)
      ) as lost,
      (select count(*) - count(distinct candidate_id) from bench.effect)
        + (select count(*) from bench.account a
           left join (select account, count(*) n from bench.effect group by account) e
             using (account)
           where a.balance <> coalesce(e.n, 0) or a.finalized <> coalesce(e.n, 0)
        ) as duplicates,
      (select count(*) from bench.effect where ${secret}::text is not null and
        receipt is distinct from md5(account || ':' || seq || ':' || ${secret ?? ''})
      ) as without_answer`;
  if (!row) throw new Error('the verdict is missing');
  return {
    order_violations: Number(row.order_violations),
    lost: Number(row.lost),
    duplicates: Number(row.duplicates),
    without_answer: Number(row.without_answer),
  };
}

/** Jobs, queues and lines that stayed locked by somebody. */
export async function lockedRows(sql: Sql): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select ((select count(*) from graphile_worker._private_jobs where locked_by is not null)
      + (select count(*) from graphile_worker._private_job_queues where locked_by is not null)
      + (select count(*) from canonry.line where holder is not null))::int as n`;
  return row?.n ?? 0;
}

export interface Timing {
  finalized: number;
  finalizations_per_s: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

/**
 * Rate (from the first effect to the last) and latency of the effects since `since` (database
 * clock). The latency of a candidate that was there before counts from then on.
 */
export async function timing(sql: Sql, since: Date, accounts = '%', except = ''): Promise<Timing> {
  const [row] = await sql<Record<'n' | 'seconds' | 'p50' | 'p99' | 'max', number>[]>`
    select count(*)::int as n,
      extract(epoch from max(e.at) - min(e.at))::float8 as seconds,
      coalesce(percentile_cont(0.5) within group (order by ms), 0) as p50,
      coalesce(percentile_cont(0.99) within group (order by ms), 0) as p99,
      coalesce(max(ms), 0)::float8 as max
    from (
      select e.at, extract(epoch from e.at - greatest(c.submitted_at, ${since})) * 1000 as ms
      from bench.effect e join canonry.candidate c using (candidate_id)
      where e.at >= ${since} and e.account like ${accounts} and e.account <> ${except}
    ) e`;
  const { n = 0, seconds = 0, p50 = 0, p99 = 0, max = 0 } = row ?? {};
  return {
    finalized: n,
    finalizations_per_s: Number((n / seconds).toPrecision(4)),
    p50_ms: Number(p50.toFixed(2)),
    p99_ms: Number(p99.toFixed(2)),
    max_ms: Number(max.toFixed(2)),
  };
}

/** In ms, of the effects since `since`; as in `timing`. */
export async function latencies(
  sql: Sql,
  since: Date,
  accounts: string,
  except: string,
): Promise<number[]> {
  const rows = await sql<{ ms: number }[]>`
    select (extract(epoch from e.at - greatest(c.submitted_at, ${since})) * 1000)::float8 as ms
    from bench.effect e join canonry.candidate c using (candidate_id)
    where e.at >= ${since} and e.account like ${accounts} and e.account <> ${except}`;
  return rows.map(({ ms }) => ms);
}
