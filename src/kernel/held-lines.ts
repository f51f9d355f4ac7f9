/**
 * The lines that drains of this process are at work on. A claim whose answer was lost on the way is
 * held in the database by a worker that does not know of it; the heartbeat tells the two apart.
 */
export class HeldLines {
  readonly #lines = new Map<bigint, number>();
  /** Made by this process so far, on all lines. */
  decisions = 0;

  /** Counted, since a drain of a later claim may begin before an overtaken one has noticed. */
  add(lineId: bigint): void {
    this.#lines.set(lineId, (this.#lines.get(lineId) ?? 0) + 1);
  }

  delete(lineId: bigint): void {
    const count = (this.#lines.get(lineId) ?? 1) - 1;
    if (count === 0) this.#lines.delete(lineId);
    else this.#lines.set(lineId, count);
  }

  list(): bigint[] {
    return [...this.#lines.keys()];
  }
}
