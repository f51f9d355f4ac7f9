import type { Sql } from '../../../src/database/connect.ts';
import { drain, type Head, type LineWork, type RetryPolicy } from '../../../src/kernel/drain.ts';
import type { HeldLines } from '../../../src/kernel/held-lines.ts';
import { kernelLimits } from '../../../src/limits.ts';
import type { Log } from '../../../src/observability/log.ts';
import type { ChainClient } from './chain-client.ts';

/** What the settle task works with. */
export interface SettleContext {
  sql: Sql;
  /** Without a chain the decision needs no look-up and candidates are decided in batches. */
  chain: ChainClient | null;
  /** Candidates of a line that are looked up at once and written in one transaction. */
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
  await drain(lineWork(context, account, holder), { sql, log, held, signal });
}

function lineWork(context: SettleContext, account: string, holder: string): LineWork<PaymentHead> {
  const { sql, chain, wakeQueue } = context;
  const unseen = async (head: PaymentHead) => {
    const [row] = await sql<Settled[]>`
      select r.outcome, (r.next).* from bench.finalize_batch(
        ${account}, ${head.line_id}, ${head.fence}, ${head.candidate_id}, ${batchSize}) r`;
    return row;
  };
  return {
    async claim() {
      const [head] = await sql<PaymentHead[]>`
        select * from bench.claim(${account}, ${holder}, ${kernelLimits.claimSeconds})`;
      return head?.line_id ? head : null;
    },
    async decide(head) {
      const row = await (chain ? afterLooking(context, chain, account, head) : unseen(head));
      return row && row.outcome !== 'fenced' ? row : null;
    },
    retry,
    queueName: queueName(account, wakeQueue),
  };
}

/** One look-up for each candidate, then one fenced write. */
async function afterLooking(
  { sql, ahead }: SettleContext,
  chain: ChainClient,
  account: string,
  head: PaymentHead,
): Promise<Settled | undefined> {
  const { line_id: line, fence, candidate_id: candidate } = head;
  if (ahead === 1) {
    const receipt = await chain.lookUp(account, head.seq);
    const [row] = await sql<Settled[]>`
      select r.outcome, (r.next).* from bench.finalize(
        ${account}, ${line}, ${fence}, ${candidate}, ${receipt}) r`;
    return row;
  }
  const upcoming = await sql<{ candidate_id: bigint; seq: bigint }[]>`
    select candidate_id, seq from bench.upcoming(${line}, ${ahead}::int)`;
  const receipts = await Promise.all(upcoming.map(({ seq }) => chain.lookUp(account, seq)));
  const candidates = upcoming.map((payment) => String(payment.candidate_id));
  const [row] = await sql<Settled[]>`
    select r.outcome, (r.next).* from bench.finalize_looked(
      ${account}, ${line}, ${fence}, ${candidates}::text[]::bigint[], ${receipts}::text[]) r`;
  return row;
}
