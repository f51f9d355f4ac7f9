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
  const mac = (purpose: string, position: string) =>
    createHmac('sha256', key).update(`${purpose}\n${position}`).digest();
  return {
    seal: (purpose, position) =>
      `${Buffer.from(position).toString('base64url')}.${mac(purpose, position).toString('base64url')}`,
    open(purpose, cursor) {
      const [text = '', signature = ''] = cursor.slice(0, longestCursor).split('.');
      const position = Buffer.from(text, 'base64url').toString();
      const given = Buffer.from(signature, 'base64url');
      const wanted = mac(purpose, position);
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
        throw new ServiceError('invalid_cursor');
      }
      return position;
    },
  };
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
