import type { Sql } from '../../database/connect.ts';
import type { Head } from '../../kernel/drain.ts';
import { groupCommit, rowsAsJson } from '../../kernel/group-commit.ts';
import { kernelLimits } from '../../limits.ts';
import type { Evidence } from './judge.ts';

/** The candidate at the head of an account's line, and what is known of it. */
export interface DeltaHead extends Head, Evidence {
  nonce: bigint;
  prev_commitment: string;
  /** The line's candidates in order, the head first, and the commitments they lead to. */
  candidates: bigint[];
  results: string[];
}

/** What a resolution answers: what became of the head, and the next one. */
export type Resolved = DeltaHead & { outcome: string };

interface Claimed {
  account: string;
  line: bigint;
  fence: bigint;
  candidate: bigint | null;
}

/** The frequent writes of a line. Those that are asked for together share a transaction. */
export interface LineWrites {
  /** See guardian.claim_delta; `candidate_id` is null when there is nothing to do. */
  claim(claim: { account: string; holder: string }): Promise<DeltaHead>;
  /** See guardian.promote_delta. */
  promote(promotion: Claimed & { through: bigint }): Promise<Resolved>;
  /** See guardian.snooze_deltas. */
  snooze(
    snooze: Claimed & {
      delaySeconds: number;
      why: string;
      error: string | null;
      retries: number;
      divergences: number;
      abandonments: number;
    },
  ): Promise<{ held: boolean }>;
}

/** @param onWritten told of every group: what it wrote, and how many shared the transaction. */
export function lineWrites(
  sql: Sql,
  onWritten: (operation: keyof LineWrites, size: number) => void = () => {},
): LineWrites {
  const lockKey = ({ account }: { account: string }) => account;
  return {
    claim: groupCommit({
      lockKey,
      onWritten: (size) => onWritten('claim', size),
      write: (claims) => sql<DeltaHead[]>`
        select head.* from json_to_recordset(${rowsAsJson(claims)}::text::json)
          as i(account text, holder text)
        cross join lateral guardian.claim_delta(
          i.account, i.holder, ${kernelLimits.claimSeconds}) head`,
    }),
    promote: groupCommit({
      lockKey,
      onWritten: (size) => onWritten('promote', size),
      write: (promotions) => sql<Resolved[]>`
        select r.outcome, (r.next).* from json_to_recordset(${rowsAsJson(promotions)}::text::json)
          as i(account text, line bigint, fence bigint, candidate bigint, through bigint)
        cross join lateral guardian.promote_delta(
          i.account, i.line, i.fence, i.candidate, i.through) r`,
    }),
    snooze: groupCommit({
      lockKey,
      onWritten: (size) => onWritten('snooze', size),
      write: (snoozes) => sql<{ held: boolean }[]>`
        select held from guardian.snooze_deltas(${rowsAsJson(snoozes)}::text::json) held`,
    }),
  };
}
