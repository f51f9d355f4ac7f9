import postgres from 'postgres';
import { kernelLimits } from '../limits.ts';
import { answered } from './answered.ts';

/** How the writes of one kind are made together. */
export interface GroupWrite<Item, Row> {
  /**
   * What the write locks first. A group is written in the order of this text, so that two groups,
   * of one process or of two, never wait for each other in a circle.
   */
  lockKey(item: Item): string;
  /** One statement, hence one transaction: answers a row for each item, in the same order. */
  write(items: readonly Item[]): Promise<readonly Row[]>;
  /**
   * For writers far from the database: an item waits at most so long for a group to come back, then
   * goes out beside those on their way while there are less than `groups`. Default: it waits.
   */
  patience?: { ms: number; groups: number };
  /** Told of every group that was written: how many items it had. */
  onWritten?: (size: number) => void;
}

interface Waiting<Item, Row> {
  item: Item;
  resolve(row: Row): void;
  reject(error: unknown): void;
}

/**
 * Group commit: writes that are asked for while others are on their way share the next round trip
 * and the next flush of the log. A write that is asked for alone goes out at once, alone.
 *
 * Each item is fenced by itself; one that the database refuses does not take the others with it:
 * the group was rolled back as a whole, and each of its items is then written by itself. After a
 * lost connection nobody knows what was written, and every item of the group is told so.
 */
export function groupCommit<Item, Row>(kind: GroupWrite<Item, Row>): (item: Item) => Promise<Row> {
  let waiting: Waiting<Item, Row>[] = [];
  let groups = 0;
  let patience: ReturnType<typeof setTimeout> | undefined;

  const send = (most: number): void => {
    while (groups < most && waiting.length > 0) {
      const group = waiting.slice(0, kernelLimits.maxGroup);
      waiting = waiting.slice(kernelLimits.maxGroup);
      groups += 1;
      void writeGroup(kind, group).finally(() => {
        groups -= 1;
        sendNext();
      });
    }
  };
  const sendNext = (): void => {
    send(kernelLimits.groupsInFlight);
    const { patience: bound } = kind;
    if (!bound || waiting.length === 0) return;
    patience ??= setTimeout(() => {
      patience = undefined;
      send(bound.groups);
    }, bound.ms);
  };

  return (item) =>
    new Promise<Row>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      // what is asked for in the same turn of the event loop goes together
      if (waiting.length === 1) setImmediate(sendNext);
    });
}

async function writeGroup<Item, Row>(
  kind: GroupWrite<Item, Row>,
  group: Waiting<Item, Row>[],
): Promise<void> {
  const ordered = group
    .map((one) => ({ ...one, key: kind.lockKey(one.item) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  try {
    const rows = await answered(kind.write(ordered.map(({ item }) => item)));
    ordered.forEach((one, n) => {
      const row = rows[n];
      if (row === undefined) one.reject(new Error('a group write answered too few rows'));
      else one.resolve(row);
    });
    kind.onWritten?.(group.length);
  } catch (error) {
    if (group.length === 1 || !isRefusal(error)) ordered.forEach(({ reject }) => reject(error));
    else await writeAlone(kind, ordered);
  }
}

/** A few at a time: the connections of a worker are counted, and its heartbeat needs one. */
async function writeAlone<Item, Row>(
  kind: GroupWrite<Item, Row>,
  group: readonly Waiting<Item, Row>[],
): Promise<void> {
  const left = group.values();
  const next = async () => {
    for (const one of left) await writeGroup(kind, [one]);
  };
  await Promise.all(Array.from({ length: kernelLimits.writtenAlone }, next));
}

/** The server answered with an error and rolled back; anything else leaves it open. */
export function isRefusal(error: unknown): boolean {
  // class 08 (connection) and 57P (the server is going down) say nothing about the items
  return error instanceof postgres.PostgresError && !/^(08|57P)/.test(error.code);
}

/**
 * The items as the JSON that json_to_recordset reads; bigint as its decimal text. What no text of
 * Postgres can hold, as in the error message of a hostile node, must not stop the whole group: zero
 * characters and halves of surrogate pairs become U+FFFD.
 */
export function rowsAsJson(items: readonly object[]): string {
  return JSON.stringify(items, (_key, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\uFFFD');
    return value;
  });
}
