import { rateLimits } from '../../limits.ts';

/** A limit of the whole fleet: so many in a period. */
export interface FleetLimit {
  count: number;
  periodMs: number;
}

interface Account {
  /** What is left, in requests; grows with time up to the share. */
  left: number;
  /** When that was, on the given clock. */
  at: number;
}

/**
 * This replica's part of a limit of the fleet, kept for each key (a token bucket each).
 *
 * Every replica takes the limit divided by the number of replicas, fractions included: ten a second
 * over three replicas are three and a third each, so nothing of the limit is lost to rounding, and
 * no replica has to ask another one. What is unused within a period is gone after it.
 */
export class Budget {
  readonly #share: number;
  readonly #perMs: number;
  readonly #accounts = new Map<string, Account>();
  readonly #now: () => number;

  constructor(limit: FleetLimit, replicas: number, now: () => number = () => performance.now()) {
    this.#perMs = limit.count / replicas / limit.periodMs;
    // less than one could never be spent: such a replica serves one request in several periods
    this.#share = Math.max(1, limit.count / replicas);
    this.#now = now;
  }

  /**
   * Spends one request of the key's budget.
   * @returns 0, or the milliseconds until there is something to spend again.
   */
  spend(key: string): number {
    const now = this.#now();
    const account = this.#accounts.get(key) ?? { left: this.#share, at: now };
    const left = Math.min(this.#share, account.left + (now - account.at) * this.#perMs);
    const wait = left >= 1 ? 0 : (1 - left) / this.#perMs;
    // written anew at the end of the map, so that its beginning is what was longest at rest
    this.#accounts.delete(key);
    this.#accounts.set(key, { left: left >= 1 ? left - 1 : left, at: now });
    this.#forget(now);
    return wait;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Drops what is full again, a few at each request, and the longest at rest beyond the bound. */
  #forget(now: number): void {
    let looks = 2;
    for (const [key, { left, at }] of this.#accounts) {
      const full = left + (now - at) * this.#perMs >= this.#share;
      if (!full && this.#accounts.size <= rateLimits.keys) return;
      this.#accounts.delete(key);
      if ((looks -= 1) === 0) return;
    }
  }
}
