/** Pages of the dashboard (protocol §1.6): strict limits, and cursors bound to kind and account. */
import type { Context } from 'hono';
import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { parseLimit, type Cursors } from '../../http/cursor.ts';

export interface PageRequest<Position extends readonly string[]> {
  limit: number;
  /** Where the page before ended: its last row's sort key, each part as text. */
  after: Position;
  /** The answer: at most `limit` of the rows, and a cursor when there are more. */
  envelope<Row, Item>(
    rows: readonly Row[],
    item: (row: Row) => Item,
    positionOf: (row: Row) => Position,
  ): { items: Item[]; next_cursor: string | null };
}

/**
 * @param purpose kind of the list and, where it has one, its account.
 * @param start the sort key before every row, for the first page.
 * @throws ServiceError `invalid_limit`, `invalid_cursor`
 */
export function readPage<Position extends readonly string[]>(
  c: Context,
  cursors: Cursors,
  purpose: string,
  start: Position,
): PageRequest<Position> {
  const limit = parseLimit(c.req.query('limit'));
  const cursor = c.req.query('cursor');
  const after = cursor ? parsePosition(cursors.open(purpose, cursor), start) : start;
  return {
    limit,
    after,
    envelope(rows, item, positionOf) {
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map(item),
        next_cursor:
          rows.length > limit && last !== undefined
            ? cursors.seal(purpose, JSON.stringify(positionOf(last)))
            : null,
      };
    },
  };
}

/** The text was sealed here; another version may have sealed it in another form. */
function parsePosition<Position extends readonly string[]>(
  text: string,
  start: Position,
): Position {
  try {
    const parts = v.pipe(v.array(v.string()), v.length(start.length));
    return v.parse(parts, JSON.parse(text)) as readonly string[] as Position; // of that length
  } catch (cause) {
    throw new ServiceError('invalid_cursor', undefined, { cause });
  }
}
