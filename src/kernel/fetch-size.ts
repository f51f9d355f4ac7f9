import { kernelLimits } from '../limits.ts';

/** The size after a full fetch that took `fetchMs` and whose jobs took `workedMs`. */
export function nextFetchSize(
  size: number,
  fetchMs: number,
  workedMs: number,
  smallest: number,
): number {
  if (workedMs > 2 * kernelLimits.maxFetchedMs) return Math.max(smallest, Math.floor(size / 2));
  if (fetchMs * 10 <= workedMs || workedMs > kernelLimits.maxFetchedMs) return size;
  return Math.min(size * 2, kernelLimits.maxFetchedJobs);
}
