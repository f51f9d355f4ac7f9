/**
 * A wake-up of an account: looks at the chain and moves the account's candidate on. The job
 * carries no decision; losing, doubling or delaying it changes nothing but timing.
 */
import type { JobHelpers } from 'graphile-worker';
import * as v from 'valibot';
import { canonicalize } from '../src/guardian/deltas/canonicalize.ts';
import { canonicalizationContext } from '../src/guardian/task-context.ts';

const payloadSchema = v.object({ account: v.string() });

export default async function task(payload: unknown, helpers: JobHelpers): Promise<void> {
  const { account } = v.parse(payloadSchema, payload);
  const context = canonicalizationContext();
  const holder = helpers.job.locked_by ?? 'unknown';
  await canonicalize(context, account, holder, helpers.abortSignal);
}
