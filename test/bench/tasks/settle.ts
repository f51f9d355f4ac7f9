/** A wake-up of an account of the benchmarks. */
import type { JobHelpers } from 'graphile-worker';
import { settle } from '../kernel/settle.ts';
import { settleContext } from '../kernel/task-context.ts';

export default async function task(payload: unknown, helpers: JobHelpers): Promise<void> {
  const { account } = payload as { account: string };
  await settle(settleContext(), account, helpers.job.locked_by ?? 'unknown', helpers.abortSignal);
}
