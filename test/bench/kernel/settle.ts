import type { Sql } from '../../../src/database/connect.ts';
import { groupCommit, rowsAsJson } from '../../../src/kernel/group-commit.ts';
import { drain, type Head, type LineWork, type RetryPolicy } from '../../../src/kernel/drain.ts';
import { unwatched } from '../../../src/kernel/events.ts';
import type { HeldLines } from '../../../src/kernel/held-lines.ts';
import { kernelLimits } from '../../../src/limits.ts';
import type { Log } from '../../../src/observability/log.ts';
import type { ChainClient } from './chain-client.ts';

/** What the settle task works with. */
export interface SettleContext {
  sql: Sql;
  writes: SettleWrites;
  /** Without a chain the decision needs no look-up and candidates are decided in batches. */
  chain: ChainClient | null;
  /** Candidates of a line that one call of the chain is about and one transaction writes. */
  ahead: number;
  wakeQueue: 'account' | 'none';
  held: HeldLines;
  log: Log;
}

interface PaymentHead extends Head {
  seq: bigint;
}

interface Settled extends PaymentHead {
  outcome: string;
}

/** The writes of a line that several lines can share a transaction for. */
export interface SettleWrites {
  claim(claim: { account: string; holder: string }): Promise<PaymentHead>;
  finalize(settled: {
    account: string;
    line: bigint;
    fence: bigint;
    candidate: bigint;
    receipt: string;
  }): Promise<Settled>;
}

export function settleWrites(sql: Sql): SettleWrites {
  return {
    claim: groupCommit({
      lockKey: ({ account }) => account,
      write: (claims) => sql<PaymentHead[]>`
        select head.* from json_to_recordset(${rowsAsJson(claims)}::text::json)
          as i(account text, holder text)
        cross join lateral bench.claim(i.account, i.holder, ${kernelLimits.claimSeconds}) head`,
    }),
    finalize: groupCommit({
      lockKey: ({ account }) => account,
      write: (settled) => sql<Settled[]>`
        select r.outcome, (r.next).* from json_to_recordset(${rowsAsJson(settled)}::text::json)
          as i(account text, line bigint, fence bigint, candidate bigint, receipt text)
        cross join lateral bench.finalize(
          i.account, i.line, i.fence, i.candidate, i.receipt) r`,
    }),
  };
}

/** Candidates decided in one transaction where no look-up is needed. */
const batchSize = 20;

/** Nothing is expected to fail; what does must not hide behind a long wait. */
const retry: RetryPolicy = {
  maxFailures: 10,
  backoff: { firstMs: 100, lastMs: 1_000, growth: 2 },
  terminal: 'halt',
};

/** The queue name of an account's wake-ups. */
export function queueName(account: string, wakeQueue: 'account' | 'none'): string | null {
  return wakeQueue === 'account' ? `account:${account}` : null;
}

/** Works on the line of an account, as a task of a domain does. */
export async function settle(
  context: SettleContext,
  account: string,
  holder: string,
  signal: AbortSignal,
): Promise<void> {
  const { sql, log, held } = context;
  await drain(lineWork(context, account, holder), { sql, log, held, events: unwatched, signal });
}

function lineWork(context: SettleContext, account: string, holder: string): LineWork<PaymentHead> {
  const { sql, writes, chain, wakeQueue } = context;
  const unseen = async (head: PaymentHead) => {
    const [row] = await sql<Settled[]>`
      select r.outcome, (r.next).* from bench.finalize_batch(
        ${account}, ${head.line_id}, ${head.fence}, ${head.candidate_id}, ${batchSize}) r`;
    return row;
  };
  return {
    async claim() {
      const head = await writes.claim({ account, holder });
      return head.line_id ? head : null;
    },
    async decide(head) {
      const row = await (chain ? afterLooking(context, chain, account, head) : unseen(head));
      return row && row.outcome !== 'fenced' ? row : null;
    },
    retry,
    queueName: queueName(account, wakeQueue),
  };
}

/**
 * A look-up, then one fenced write. One call asks about all that are looked up ahead: they are of one
 * account, as the candidates that one commitment of an account on chain says have landed.
 */
async function afterLooking(
  { sql, writes, ahead }: SettleContext,
  chain: ChainClient,
  account: string,
  head: PaymentHead,
): Promise<Settled | undefined> {
  const { line_id: line, fence, candidate_id: candidate } = head;
  if (ahead === 1) {
    if (candidate === null) return undefined;
    const [receipt = ''] = await chain.lookUp(account, head.seq);
    return writes.finalize({ account, line, fence, candidate, receipt });
  }
  const upcoming = await sql<{ candidate_id: bigint; seq: bigint }[]>`
    select candidate_id, seq from bench.upcoming(${line}, ${ahead}::int)`;
  const receipts = await chain.lookUp(account, ...upcoming.map(({ seq }) => seq));
  const candidates = upcoming.map((payment) => String(payment.candidate_id));
  const [row] = await sql<Settled[]>`
    select r.outcome, (r.next).* from bench.finalize_looked(
      ${account}, ${line}, ${fence}, ${candidates}::text[]::bigint[], ${receipts}::text[]) r`;
  return row;
}
