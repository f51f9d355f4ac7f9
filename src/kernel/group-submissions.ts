import { kernelLimits } from '../limits.ts';
import { groupCommit } from './group-commit.ts';

/** How the submissions of one domain are committed. */
export interface Submissions<Item, Row> {
  account(item: Item): string;
  /** Bytes that the item brings; a large one goes by itself, so that others do not wait for it. */
  size(item: Item): number;
  /**
   * One statement over the items, in this order, each with canonry.try_wake_lock: a row for each,
   * null for one whose account or wake-up somebody else has locked. It must not wait for a lock.
   */
  together(items: readonly Item[]): Promise<readonly (Row | null)[]>;
  /** One item, waiting for whatever it needs. */
  alone(item: Item): Promise<Row>;
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
  const { patienceMs: ms, submittingGroups: groups } = kernelLimits;
  const together = groupCommit<Item, Row | null>({
    lockKey: kind.account,
    write: kind.together,
    patience: { ms, groups },
    ...(kind.onCommitted && { onWritten: kind.onCommitted }),
  });
  return async (item) => {
    if (kind.size(item) > kernelLimits.groupedSubmissionBytes) return kind.alone(item);
    return (await together(item)) ?? kind.alone(item);
  };
}
