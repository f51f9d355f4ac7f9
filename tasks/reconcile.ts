/** Looks once more at the deltas of an account that were given up but may still land. */
import type { JobHelpers } from 'graphile-worker';
import * as v from 'valibot';
import { reconcile } from '../src/guardian/deltas/reconcile.ts';
import { canonicalizationContext } from '../src/guardian/task-context.ts';

const payloadSchema = v.object({ account: v.string() });

export default async function task(payload: unknown, helpers: JobHelpers): Promise<void> {
  const { account } = v.parse(payloadSchema, payload);
  await reconcile(canonicalizationContext(), account, helpers.abortSignal);
}
