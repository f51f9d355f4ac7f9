import type { Context } from 'hono';
import { ServiceError } from '../errors.ts';

export function bodyTooLarge(maxBytes: number): ServiceError {
  return new ServiceError('invalid_input', `The body is larger than ${maxBytes} bytes.`, {
    status: 413,
  });
}

/**
 * Reads a JSON body as text, never more than `maxBytes` of it.
 * @throws ServiceError 415 for another content type, 413 over the limit, 400 for bytes that are
 *   not UTF-8. Parsing is the caller's.
 */
export async function readJsonText(c: Context, maxBytes: number): Promise<string> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new ServiceError('invalid_input', 'The body must be application/json.', { status: 415 });
  }
  if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);

  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw bodyTooLarge(maxBytes);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ServiceError('invalid_input', 'The body is not UTF-8.');
  }
}
