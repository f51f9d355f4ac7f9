/** Commits of requests: candidate, payment and wake-up in one statement, beside plain inserts. */
import postgres from 'postgres';
import { createAccounts, judge } from '../kernel/load.ts';
import type { Scenario, ScenarioOptions } from '../kernel/scenario.ts';
import type { Run, Stage } from '../kernel/stage.ts';

const accounts = 10_000;
const clients = 8;
const forMs = 6_000;

interface Pace {
  order_violations: number;
  /** Answered and not stored, or stored without a wake-up of its account. */
  lost: number;
  duplicates: number;
  commits: number;
  commits_per_s: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

export const ingest: Scenario = async (stage, options) => {
  options.say('plain inserts …');
  const plain = await paced(stage, options, 'plain');
  options.say('submits …');
  const submits = await paced(stage, options, 'submit');
  return {
    accounts,
    candidates: submits.commits,
    clients,
    // no worker runs: what was answered has to be there, with a wake-up
    finalizations_per_s: 0,
    chain_calls_per_finalization: 0,
    ...submits,
    plain_commits_per_s: plain.commits_per_s,
    of_plain: Number((submits.commits_per_s / plain.commits_per_s).toFixed(3)),
    plain_p50_ms: plain.p50_ms,
    plain_p99_ms: plain.p99_ms,
  };
};

async function paced(
  stage: Stage,
  options: ScenarioOptions,
  kind: 'plain' | 'submit',
): Promise<Pace> {
  const run = await stage.openRun();
  await createAccounts(run.sql, { accounts, each: 1, wakeQueue: options.queue });
  // The same rows without the kernel's function and without a wake-up.
  await run.sql.unsafe(`
    insert into canonry.line (task, account) select 'settle', account from bench.account;
    create function bench.plain(p_account text, p_seq bigint) returns bigint
    language plpgsql as $$
    declare
      v_candidate_id bigint;
    begin
      perform 1 from bench.account where account = p_account for no key update;
      insert into canonry.candidate (line_id)
        select line_id from canonry.line where task = 'settle' and account = p_account
        returning candidate_id into v_candidate_id;
      insert into bench.payment (candidate_id, account, seq)
        values (v_candidate_id, p_account, p_seq);
      return v_candidate_id;
    end $$`);
  const { times, seqs } = await commitFor(run, options, kind);
  const verdict = await judgeCommits(run, seqs, kind);
  await run.drop();
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q: number) => Number((sorted[Math.floor(q * (sorted.length - 1))] ?? 0).toFixed(2));
  return {
    ...verdict,
    commits: times.length,
    commits_per_s: Math.round((times.length * 1_000) / forMs),
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    max_ms: at(1),
  };
}

/** @returns how long each commit took, and what it was called. */
async function commitFor(
  run: Run,
  options: ScenarioOptions,
  kind: 'plain' | 'submit',
): Promise<{ times: number[]; seqs: number[] }> {
  const sql = postgres(run.url, { max: clients });
  const times: number[] = [];
  const seqs: number[] = [];
  let last = 0;
  const client = async () => {
    const until = performance.now() + forMs;
    for (let at = performance.now(); at < until; at = performance.now()) {
      const account = `a${1 + Math.floor(Math.random() * accounts)}`;
      const seq = (last += 1);
      const queue = options.queue === 'account' ? `account:${account}` : null;
      if (kind === 'plain') await sql`select bench.plain(${account}, ${seq})`;
      else await sql`select bench.submit(${account}, ${seq}, ${queue})`;
      times.push(performance.now() - at);
      seqs.push(seq);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await sql.end();
  return { times, seqs };
}

async function judgeCommits(
  run: Run,
  seqs: readonly number[],
  kind: 'plain' | 'submit',
): Promise<Pick<Pace, 'order_violations' | 'lost' | 'duplicates'>> {
  const rows = await run.sql<{ seq: bigint; woken: boolean }[]>`
    select p.seq, exists (
      select 1 from graphile_worker.jobs j where j.key = 'settle:' || p.account
    ) as woken from bench.payment p join canonry.candidate c using (candidate_id)`;
  const stored = new Map(rows.map(({ seq, woken }) => [Number(seq), woken]));
  const { order_violations } = await judge(run.sql, null);
  return {
    order_violations,
    lost: seqs.filter((seq) => !(kind === 'plain' ? stored.has(seq) : stored.get(seq))).length,
    duplicates: rows.length - stored.size,
  };
}
