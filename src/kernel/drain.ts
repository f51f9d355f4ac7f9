import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connect.ts';
import { kernelLimits } from '../limits.ts';
import { errorFields, type Log } from '../observability/log.ts';
import { answered } from './answered.ts';
import type { KernelEvents } from './events.ts';
import type { HeldLines } from './held-lines.ts';

/** The head of a line under a claim. Every later write names `fence`. */
export interface Head {
  line_id: bigint;
  fence: bigint;
  /** null: the line is empty and already free. */
  candidate_id: bigint | null;
  /** Looks at the outside world so far. */
  attempts: number;
  /** Unexpected failures so far. */
  failures: number;
  /** false: the head waits for a later time or a person; the line is already free. */
  due: boolean | null;
}

/** What happens to a candidate whose decision fails in a way that no rule of its domain explains. */
export interface RetryPolicy {
  /** Failures after which it is terminal. */
  maxFailures: number;
  /** Time until the next attempt; see lookAgainSeconds. */
  backoff: Backoff;
  /** `halt`: it stays at the head of its line until a person acts. `skip`: the line goes on. */
  terminal: 'halt' | 'skip';
}

/** Milliseconds, growing by a factor with each attempt. */
export interface Backoff {
  firstMs: number;
  lastMs: number;
  growth: number;
}

/** How a domain works on one of its lines. */
export interface LineWork<H extends Head> {
  /** Claims the line; null while another worker holds it, or when there is nothing in it. */
  claim(): Promise<H | null>;
  /**
   * Looks outside, then makes exactly one fenced write.
   * @param signal ends the look (see unlessStopped), never the write.
   * @returns the next head, or null when the line waits or the claim was overtaken.
   */
  decide(head: H, signal: AbortSignal): Promise<H | null>;
  retry: RetryPolicy;
  /** Queue name of the line's wake-ups, or null. */
  queueName: string | null;
}

export interface DrainContext {
  sql: Sql;
  log: Log;
  /** Where the line is noted while it is worked on. */
  held: HeldLines;
  events: Pick<KernelEvents, 'decisionFailed'>;
  /** Aborted when the process is asked to stop. */
  signal: AbortSignal;
}

/**
 * Works on a line until it is empty, waits, or is taken away (invariants K2, K3).
 *
 * Stops early and wakes the line again after a bounded share of work, and gives way while it makes
 * most of its process's decisions, so that one long line does not hold up the others. Asked to stop,
 * it drops the look it is in and hands the line over at once (K6): whoever takes the line looks
 * again. An unexpected failure is recorded on the candidate, which keeps its place; the job itself
 * does not fail.
 *
 * @returns how many candidates were decided.
 * @throws what the database says when even the failure cannot be recorded.
 */
export async function drain<H extends Head>(
  work: LineWork<H>,
  context: DrainContext,
): Promise<number> {
  const claimed = await work.claim();
  if (!claimed || claimed.candidate_id === null) return 0;
  context.held.add(claimed.line_id);
  try {
    return await drainClaimed(work, context, claimed);
  } finally {
    context.held.delete(claimed.line_id);
  }
}

async function drainClaimed<H extends Head>(
  work: LineWork<H>,
  { sql, log, held, events, signal }: DrainContext,
  claimed: H,
): Promise<number> {
  const started = performance.now();
  // others are at work when they decided something since this drain began, so lately: maxDrainMs
  const before = held.decisions;
  let decided = 0;
  let head: H | null = claimed;
  while (head && head.candidate_id !== null && head.due) {
    const share = decided >= kernelLimits.maxDrainCandidates;
    const time = performance.now() - started >= kernelLimits.maxDrainMs;
    if (signal.aborted || (decided > 0 && (share || time))) {
      await answered(sql`
        select canonry.hand_over(${head.line_id}, ${head.fence}, ${work.queueName})`);
      return decided;
    }
    const current: H = head;
    const begun = performance.now();
    try {
      head = await work.decide(current, signal);
    } catch (error) {
      if (signal.aborted && error === signal.reason) continue;
      const candidate = String(current.candidate_id);
      events.decisionFailed();
      log.error({ candidate, ...errorFields(error) }, 'decision failed');
      await recordFailure(sql, current, work.retry, error);
      return decided;
    }
    decided += 1;
    held.decisions += 1;
    const ofOthers = held.decisions - before - decided;
    const goesOn = head !== null && head.candidate_id !== null && head.due;
    if (goesOn && ofOthers > 0 && decided > ofOthers) {
      await sleep(Math.min(performance.now() - begun, kernelLimits.giveWayMs));
    }
  }
  return decided;
}

/**
 * A look outside that a stop does not wait for: its answer, whenever it comes, is dropped.
 * @throws what the look throws; signal.reason when the process is asked to stop before.
 */
export async function unlessStopped<T>(look: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([look, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function recordFailure(
  sql: Sql,
  head: Head,
  retry: RetryPolicy,
  error: unknown,
): Promise<void> {
  const exhausted = head.failures + 1 >= retry.maxFailures;
  const delay = exhausted ? null : lookAgainSeconds(head.failures, retry.backoff, Math.random());
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  await answered(sql`select canonry.fail(
    ${head.line_id}, ${head.fence}, ${head.candidate_id},
    ${text.slice(0, kernelLimits.maxErrorCharacters)}, ${delay}, ${retry.terminal})`);
}

/**
 * Time until a waiting head is looked at again: grows with each attempt from `firstMs` to
 * `lastMs`, spread by a fifth so that lines that began together do not stay together.
 *
 * @param random a number in [0, 1).
 * @returns seconds.
 */
export function lookAgainSeconds(attempts: number, bounds: Backoff, random: number): number {
  const grown = Math.min(bounds.firstMs * bounds.growth ** Math.min(attempts, 64), bounds.lastMs);
  return (grown * (0.8 + 0.4 * random)) / 1_000;
}
