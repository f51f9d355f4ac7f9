import type { Sql } from '../database/connect.ts';

export type OperatorAction = 'retry' | 'skip' | 'discard';

export type OperationOutcome = 'done' | 'not_found' | 'not_unresolved' | 'not_head';

/**
 * What a person does about an unresolved candidate; audited with the reason.
 *
 * @param actor who did it, for the audit.
 */
export async function operate(
  sql: Sql,
  candidateId: bigint,
  action: OperatorAction,
  actor: string,
  reason: string,
): Promise<OperationOutcome> {
  const [row] = await sql<{ outcome: OperationOutcome }[]>`
    select canonry.operate(${candidateId}, ${action}, ${actor}, ${reason}) as outcome`;
  if (!row) throw new Error('canonry.operate returned nothing');
  return row.outcome;
}

/**
 * The job of an account runs again: one that has failed for good, or is missing. Audited with the
 * reason; not_found when there is no such task.
 */
export async function retryJob(
  sql: Sql,
  { task, account }: { task: string; account: string },
  actor: string,
  reason: string,
): Promise<'done' | 'not_found'> {
  const [row] = await sql<{ outcome: 'done' | 'not_found' }[]>`
    select canonry.retry_job(${task}, ${account}, ${actor}, ${reason}) as outcome`;
  if (!row) throw new Error('canonry.retry_job returned nothing');
  return row.outcome;
}

/**
 * A failed marker was revived with the job engine's own tools: that means "retry". One that cannot
 * be retried is marked again.
 */
export async function retryRevived(sql: Sql, candidateId: bigint): Promise<void> {
  await sql`select canonry.retry_revived(${candidateId})`;
}
