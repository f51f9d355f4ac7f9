import type { Context } from 'hono';
import { ServiceError } from '../errors.ts';
import { httpLimits } from '../limits.ts';

export function bodyTooLarge(maxBytes: number): ServiceError {
  return new ServiceError('invalid_input', `The body is larger than ${maxBytes} bytes.`, {
    status: 413,
  });
}

/**
 * Reads a JSON body as text, never more than `maxBytes` of it, and never for longer than
 * `httpLimits.bodyMs`: a client that sends one byte now and then holds nothing for long.
 * @throws ServiceError 415 for another content type, 413 over the limit, 408 for a body that takes
 *   too long, 400 for one that breaks off or is not UTF-8. Parsing is the caller's.
 */
export async function readJsonText(c: Context, maxBytes: number): Promise<string> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new ServiceError('invalid_input', 'The body must be application/json.', { status: 415 });
  }
  if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
  const { body } = c.req.raw;
  const bytes = body ? await readBytes(body, maxBytes) : new Uint8Array();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ServiceError('invalid_input', 'The body is not UTF-8.');
  }
}

/**
 * Reads a JSON body of a request that nobody signs: numbers are read as JavaScript reads them.
 * @param whenEmpty what an empty body stands for; it is not JSON when left out.
 * @throws ServiceError `invalid_input` for what is not JSON, and as readJsonText
 */
export async function readJson(c: Context, maxBytes: number, whenEmpty?: object): Promise<unknown> {
  const text = await readJsonText(c, maxBytes);
  if (whenEmpty !== undefined && text.trim() === '') return whenEmpty;
  try {
    return JSON.parse(text);
  } catch {
    throw new ServiceError('invalid_input', 'The body is not JSON.');
  }
}

async function readBytes(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(bodyTooSlow()), httpLimits.bodyMs);
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return joined(chunks, size);
      size += value.byteLength;
      if (size > maxBytes) throw bodyTooLarge(maxBytes);
      chunks.push(value);
    }
  } catch (error) {
    // what is still on its way is nobody's any more, and whether it can be cancelled is no matter
    void reader.cancel().catch(() => {});
    if (error instanceof ServiceError) throw error;
    throw new ServiceError('invalid_input', 'The body broke off.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const bodyTooSlow = () =>
  new ServiceError('invalid_input', 'The body did not arrive in time.', { status: 408 });

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
