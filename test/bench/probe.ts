import process from 'node:process';

/** The longest times an event loop did not turn, in milliseconds. */
export interface Gap {
  /** By the clock: what a request that arrives then has to wait. */
  wall: number;
  /** Processor time of the loop's own thread: what is left of it on a machine of its own. */
  cpu: number;
}

/**
 * Runs `work` beside a timer of 1 ms and returns the longest time between two runs of it. That
 * millisecond is part of the figure. On a busy machine `wall` also holds the time the operating
 * system gave to others; `cpu` does not (it may come from another gap than `wall`).
 */
export async function longestGap(work: () => Promise<unknown>): Promise<Gap> {
  const longest: Gap = { wall: 0, cpu: 0 };
  let wall = performance.now();
  let cpu = threadCpuMs();
  const tick = () => {
    const now = performance.now();
    const used = threadCpuMs();
    longest.wall = Math.max(longest.wall, now - wall);
    longest.cpu = Math.max(longest.cpu, used - cpu);
    wall = now;
    cpu = used;
    timer = setTimeout(tick, 1);
  };
  let timer = setTimeout(tick, 1);
  await work();
  // the gap that the end of the work fell into counts too
  await new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
  clearTimeout(timer);
  return longest;
}

/** Not a number where the runtime cannot tell (Node before 23.9). */
function threadCpuMs(): number {
  if (typeof process.threadCpuUsage !== 'function') return Number.NaN;
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
