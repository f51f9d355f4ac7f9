/** Looks once more at the deltas of an account that were given up but may still land. */
import * as v from 'valibot';
import { reconcile } from '../src/guardian/deltas/reconcile.ts';
import { canonicalizationContext } from '../src/guardian/task-context.ts';

const payloadSchema = v.object({ account: v.string() });

export default async function task(payload: unknown): Promise<void> {
  const { account } = v.parse(payloadSchema, payload);
  await reconcile(canonicalizationContext(), account);
}
