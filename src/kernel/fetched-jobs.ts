import { kernelLimits } from '../limits.ts';

/**
 * The fetches that this worker had an answer to, by the time they locked their jobs at. The engine
 * locks jobs in the statement that fetches them: when the answer is lost with its connection, they
 * stay locked, for four hours, by a worker that is alive and knows nothing of them.
 */
export class FetchedJobs {
  readonly #times = new Set<number>();

  /** @param jobs the answer to one fetch: all of them were locked at the same time. */
  add(jobs: readonly { locked_at: Date | null }[]): void {
    const time = jobs[0]?.locked_at?.getTime();
    if (time === undefined) return;
    this.#times.add(time);
    const [oldest] = this.#times;
    if (this.#times.size > kernelLimits.rememberedFetches && oldest !== undefined)
      this.#times.delete(oldest);
  }

  /** Whether a job that is locked since then was among the answers. */
  has(lockedAt: Date): boolean {
    return this.#times.has(lockedAt.getTime());
  }
}
