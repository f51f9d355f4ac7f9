import { kernelLimits } from '../limits.ts';

/** The head of a line under a claim. Every later write names `fence`. */
export interface Head {
  line_id: bigint;
  fence: bigint;
  /** null: the line is empty and already free. */
  candidate_id: bigint | null;
  attempts: number;
  /** false: the head waits for a later time; the line is already free. */
  due: boolean | null;
}

/** How a domain works on one of its lines. */
export interface LineWork<H extends Head> {
  /** Claims the line; null while another worker holds it. */
  claim(): Promise<H | null>;
  /**
   * Looks outside, then makes exactly one fenced write.
   * @returns the next head, or null when the line waits or the claim was overtaken.
   */
  decide(head: H): Promise<H | null>;
  /** Gives the line back with a wake-up, because this drain stops early. */
  handOver(head: H): Promise<void>;
}

/**
 * Works on a line until it is empty, waits, or is taken away (invariants K2, K3).
 *
 * Stops early and wakes the line again after a bounded share of work, so that one long line
 * does not hold up the others, and when `signal` asks the process to stop.
 *
 * @returns how many candidates were decided.
 */
export async function drain<H extends Head>(
  work: LineWork<H>,
  signal: AbortSignal,
): Promise<number> {
  const started = performance.now();
  let decided = 0;
  let head = await work.claim();
  while (head && head.candidate_id !== null && head.due) {
    const share = decided >= kernelLimits.maxDrainCandidates;
    const time = performance.now() - started >= kernelLimits.maxDrainMs;
    if (signal.aborted || (decided > 0 && (share || time))) {
      await work.handOver(head);
      return decided;
    }
    head = await work.decide(head);
    decided += 1;
  }
  return decided;
}

/**
 * Time until a waiting head is looked at again: grows with each attempt from `firstMs` to
 * `lastMs`, spread by a fifth so that lines that began together do not stay together.
 *
 * @param random a number in [0, 1).
 * @returns seconds.
 */
export function lookAgainSeconds(
  attempts: number,
  bounds: { firstMs: number; lastMs: number; growth: number },
  random: number,
): number {
  const grown = Math.min(bounds.firstMs * bounds.growth ** Math.min(attempts, 64), bounds.lastMs);
  return (grown * (0.8 + 0.4 * random)) / 1_000;
}
