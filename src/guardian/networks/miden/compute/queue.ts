/**
 * Waiting jobs: one common line, and a line for each thread with the jobs of the accounts that
 * belong to it. A thread takes whichever came first of its own line and the common one.
 */
import type { Job } from './job.ts';

export class JobQueue {
  readonly #common: Job[] = [];
  readonly #own: Job[][];

  constructor(threads: number) {
    this.#own = Array.from({ length: threads }, () => []);
  }

  get length(): number {
    return this.#own.reduce((sum, line) => sum + line.length, this.#common.length);
  }

  /** @param accountId whose jobs stay on one thread, where its account is in the cache; or null. */
  add(job: Job, accountId: string | null): void {
    if (accountId === null) this.#common.push(job);
    else this.#own[hashText(accountId) % this.#own.length]!.push(job);
  }

  take(thread: number): Job | undefined {
    const own = this.#own[thread]!;
    const [mine, common] = [own[0], this.#common[0]];
    if (mine === undefined) return this.#common.shift();
    return common === undefined || mine.order < common.order ? own.shift() : this.#common.shift();
  }

  remove(job: Job): void {
    for (const line of [this.#common, ...this.#own]) {
      const at = line.indexOf(job);
      if (at !== -1) line.splice(at, 1);
    }
  }
}

/** FNV-1a, 32 bits: spreads accounts evenly, no more. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
