import { kernelLimits } from '../limits.ts';
import { groupCommit, isRefusal } from './group-commit.ts';

/** How the submissions of one domain are committed. */
export interface Submissions<Item, Row> {
  account(item: Item): string;
  /** Characters that are sent for the item; a large one goes by itself: others do not wait for it. */
  size(item: Item): number;
  /**
   * One statement over the items, in this order, each with canonry.try_wake_lock: a row for each,
   * null for one that has to be submitted by itself: its account or wake-up is locked by somebody else.
   */
  together(items: readonly Item[]): Promise<readonly (Row | null)[]>;
  /** One item, waiting for whatever it needs. */
  alone(item: Item): Promise<Row>;
  /** Of the pool that both use: groups leave some of them to other requests. */
  connections: number;
  /** Told of every group that was committed: how many items it had. */
  onCommitted?: (size: number) => void;
}

/**
 * Group commit for submissions. Each new job tells the workers by NOTIFY, and Postgres lets one
 * transaction that notifies flush its commit at a time, in the whole database: submissions that
 * arrive while others are on their way share one. One that arrives alone goes out at once.
 */
export function groupSubmissions<Item, Row>(
  kind: Submissions<Item, Row>,
): (item: Item) => Promise<Row> {
  const { patienceMs: ms, submittingGroups, groupedSubmissionSize } = kernelLimits;
  const groups = Math.max(1, Math.min(submittingGroups, kind.connections - 2));
  const together = groupCommit<Item, Row | null>({
    lockKey: kind.account,
    write: kind.together,
    patience: { ms, groups },
    ...(kind.onCommitted && { onWritten: kind.onCommitted }),
  });
  return async (item) => {
    if (kind.size(item) > groupedSubmissionSize) return kind.alone(item);
    const row = await together(item).catch((error: unknown) => {
      // rolled back: what stopped the group need not stop the item
      if (isRefusal(error)) return null;
      throw error;
    });
    return row ?? kind.alone(item);
  };
}
