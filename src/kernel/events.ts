/** What the kernel tells whoever watches a process; it counts nothing itself. */
export interface KernelEvents {
  /** The sweep found lines without a wake-up. */
  linesWoken(lines: number): void;
  /** A silent worker was retired, its lines freed. */
  workerRetired(): void;
  /** A decision ended in an error no rule explains. */
  decisionFailed(): void;
}

export const unwatched: KernelEvents = {
  linesWoken() {},
  workerRetired() {},
  decisionFailed() {},
};
