/**
 * A wake-up of an account: looks at the chain and moves the account's candidates on. The job
 * carries no decision; losing, doubling or delaying it changes nothing but timing.
 *
 * `retry` names a halted candidate: the job is its failed marker, which a person has revived with
 * graphile-worker's own tools.
 */
import type { JobHelpers } from 'graphile-worker';
import * as v from 'valibot';
import { canonicalize } from '../src/guardian/deltas/canonicalize.ts';
import { canonicalizationContext } from '../src/guardian/task-context.ts';
import { retryRevived } from '../src/kernel/operate.ts';

const payloadSchema = v.object({ account: v.string(), retry: v.optional(v.number()) });

export default async function task(payload: unknown, helpers: JobHelpers): Promise<void> {
  const { account, retry } = v.parse(payloadSchema, payload);
  const context = canonicalizationContext();
  if (retry !== undefined) await retryRevived(context.sql, BigInt(retry));
  const holder = helpers.job.locked_by ?? 'unknown';
  await canonicalize(context, account, holder, helpers.abortSignal);
}
