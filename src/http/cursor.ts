import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../errors.ts';

/**
 * Opaque page cursors. A cursor is bound to its purpose (kind and owner) and signed, so that it
 * works on every replica that has the key, and on no other list.
 */
export interface Cursors {
  /** @param purpose what the cursor may be used for, such as `history:ACCOUNT`. */
  seal(purpose: string, position: string): string;
  /** @throws ServiceError `invalid_cursor` */
  open(purpose: string, cursor: string): string;
}

const longestCursor = 512;

/** @param key 32 bytes, the same on all replicas. */
export function createCursors(key: Uint8Array): Cursors {
  const seal = (purpose: string, position: string) => {
    const mac = createHmac('sha256', key).update(`${purpose}\n${position}`).digest('base64url');
    return `${Buffer.from(position).toString('base64url')}.${mac}`;
  };
  return {
    seal,
    open(purpose, cursor) {
      const [text = ''] = cursor.slice(0, longestCursor).split('.');
      const position = Buffer.from(text, 'base64url').toString();
      // the whole text: Buffer reads past characters that are not base64url
      if (!equals(seal(purpose, position), cursor)) throw new ServiceError('invalid_cursor');
      return position;
    },
  };
}

/** In a time that tells nothing but the length. */
function equals(wanted: string, given: string): boolean {
  const [a, b] = [Buffer.from(wanted), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * `limit` of a paged route: 1 to 500, 50 when it is left out or empty.
 * @throws ServiceError `invalid_limit`
 */
export function parseLimit(text: string | undefined): number {
  if (text === undefined || text === '') return 50;
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > 500) throw new ServiceError('invalid_limit');
  return limit;
}
