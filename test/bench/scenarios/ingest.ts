/**
 * Commits of requests: candidate, payment and wake-up, each request in a transaction of its own and
 * as an API process commits them together, beside plain inserts.
 */
import postgres from 'postgres';
import { rowsAsJson } from '../../../src/kernel/group-commit.ts';
import { groupSubmissions } from '../../../src/kernel/group-submissions.ts';
import { startCountingProxy } from '../../support/counting-proxy.ts';
import { createAccounts, judge } from '../kernel/load.ts';
import type { Scenario, ScenarioOptions } from '../kernel/scenario.ts';
import type { Run, Stage } from '../kernel/stage.ts';

const accounts = 10_000;
const clients = 32;
const forMs = 6_000;
/** A region on another continent. */
const farMs = 80;

type Kind = 'plain' | 'alone' | 'together';

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
  options.say('submits, each by itself …');
  const alone = await paced(stage, options, 'alone');
  options.say('submits, as an API process commits them …');
  const together = await paced(stage, options, 'together');
  options.say(`both, ${farMs} ms away from the database …`);
  const farAlone = await paced(stage, options, 'alone', farMs);
  const farTogether = await paced(stage, options, 'together', farMs);
  const ofPlain = (pace: Pace) => Number((pace.commits_per_s / plain.commits_per_s).toFixed(3));
  return {
    accounts,
    candidates: together.commits,
    clients,
    // no worker runs: what was answered has to be there, with a wake-up
    finalizations_per_s: 0,
    chain_calls_per_finalization: 0,
    ...together,
    of_plain: ofPlain(together),
    alone_commits_per_s: alone.commits_per_s,
    alone_of_plain: ofPlain(alone),
    alone_p50_ms: alone.p50_ms,
    alone_p99_ms: alone.p99_ms,
    plain_commits_per_s: plain.commits_per_s,
    plain_p50_ms: plain.p50_ms,
    plain_p99_ms: plain.p99_ms,
    far_ms: farMs,
    far_commits_per_s: farTogether.commits_per_s,
    far_p50_ms: farTogether.p50_ms,
    far_p99_ms: farTogether.p99_ms,
    far_alone_commits_per_s: farAlone.commits_per_s,
    far_alone_p50_ms: farAlone.p50_ms,
    far_alone_p99_ms: farAlone.p99_ms,
  };
};

async function paced(
  stage: Stage,
  options: ScenarioOptions,
  kind: Kind,
  roundTripMs = 0,
): Promise<Pace> {
  const run = await stage.openRun();
  await createAccounts(run.sql, { accounts, each: 1, wakeQueue: options.queue });
  // The same rows without the kernel's function and without a wake-up.
  await run.sql.unsafe(`
    insert into canonry.line (task, account) select 'settle', account from bench.account;
    create function bench.plain(p_account text, p_seq bigint) returns bigint
    language plpgsql set enable_seqscan = off set jit = off as $$
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
  const { times, seqs } = await commitFor(run, options, kind, roundTripMs);
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
  kind: Kind,
  roundTripMs: number,
): Promise<{ times: number[]; seqs: number[] }> {
  // near, nothing stands in between
  const proxy = roundTripMs > 0 ? await startCountingProxy(run.url) : undefined;
  proxy?.setRoundTripMs(roundTripMs);
  const sql = postgres(proxy?.url ?? run.url, { max: clients });
  const commit = commits(sql, kind);
  const times: number[] = [];
  const seqs: number[] = [];
  let last = 0;
  const client = async () => {
    const until = performance.now() + forMs;
    for (let at = performance.now(); at < until; at = performance.now()) {
      const account = `a${1 + Math.floor(Math.random() * accounts)}`;
      const seq = (last += 1);
      const queue = options.queue === 'account' ? `account:${account}` : null;
      await commit({ account, seq, queue });
      times.push(performance.now() - at);
      seqs.push(seq);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await sql.end();
  await proxy?.close();
  return { times, seqs };
}

interface Payment {
  account: string;
  seq: number;
  queue: string | null;
}

/** One commit of each kind. */
function commits(sql: postgres.Sql, kind: Kind): (payment: Payment) => Promise<unknown> {
  const plain = ({ account, seq }: Payment) => sql`select bench.plain(${account}, ${seq})`;
  const alone = ({ account, seq, queue }: Payment) =>
    sql`select bench.submit(${account}, ${seq}, ${queue})`;
  const together = groupSubmissions<Payment, unknown>({
    account: ({ account }) => account,
    size: () => 0,
    connections: clients,
    alone,
    together: async (payments) => {
      const rows = await sql<{ id: string | null }[]>`
        select id from bench.submit_all(${rowsAsJson(payments)}::text::json) id`;
      return rows.map(({ id }) => id);
    },
  });
  return { plain, alone, together }[kind];
}

async function judgeCommits(
  run: Run,
  seqs: readonly number[],
  kind: Kind,
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
