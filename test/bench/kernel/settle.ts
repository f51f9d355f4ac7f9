import type { Sql } from '../../../src/database/connect.ts';
import { drain, type Head, type LineWork, type RetryPolicy } from '../../../src/kernel/drain.ts';
import { kernelLimits } from '../../../src/limits.ts';
import type { Log } from '../../../src/observability/log.ts';
import type { ChainClient } from './chain-client.ts';

/** What the settle task works with. */
export interface SettleContext {
  sql: Sql;
  /** Without a chain the decision needs no look-up and candidates are decided in batches. */
  chain: ChainClient | null;
  wakeQueue: 'account' | 'none';
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
  const { sql, log } = context;
  await drain(lineWork(context, account, holder), { sql, log, signal });
}

function lineWork(
  { sql, chain, wakeQueue }: SettleContext,
  account: string,
  holder: string,
): LineWork<PaymentHead> {
  return {
    async claim() {
      const [head] = await sql<PaymentHead[]>`
        select * from bench.claim(${account}, ${holder}, ${kernelLimits.claimSeconds})`;
      return head?.line_id ? head : null;
    },
    async decide(head) {
      const { line_id: line, fence, candidate_id: candidate } = head;
      const [row] = chain
        ? await sql<Settled[]>`
            select r.outcome, (r.next).* from bench.finalize(
              ${account}, ${line}, ${fence}, ${candidate},
              ${await chain.lookUp(account, head.seq)}) r`
        : await sql<Settled[]>`
            select r.outcome, (r.next).* from bench.finalize_batch(
              ${account}, ${line}, ${fence}, ${candidate}, ${batchSize}) r`;
      return row && row.outcome !== 'fenced' ? row : null;
    },
    retry,
    queueName: queueName(account, wakeQueue),
  };
}
