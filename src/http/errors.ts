import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { ServiceError } from '../errors.ts';
import { errorFields, type Log } from '../observability/log.ts';

/** Answers with the envelope; `Retry-After` whenever the envelope carries the hint. */
function respondWithError(c: Context, error: ServiceError): Response {
  const envelope = error.envelope();
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (envelope.meta.retry_after_secs !== undefined) {
    headers['retry-after'] = String(envelope.meta.retry_after_secs);
  }
  // the rest of that body may still be on its way, for ever: nobody waits for it
  if (error.status === 408) headers['connection'] = 'close';
  c.set('errorCode', envelope.code);
  return c.body(JSON.stringify(envelope), error.status as 400, headers);
}

/**
 * Turns whatever a handler throws into the envelope. What is not a ServiceError is logged with
 * its stack and answered without any detail.
 */
export function errorHandler(log: Log): ErrorHandler {
  return (error, c) => {
    if (error instanceof ServiceError) {
      if (error.status >= 500)
        log.error({ path: c.req.path, ...errorFields(error) }, 'request failed');
      return respondWithError(c, error);
    }
    if (error instanceof HTTPException && error.status < 500) {
      return respondWithError(
        c,
        new ServiceError('invalid_input', undefined, { status: error.status }),
      );
    }
    log.error({ path: c.req.path, ...errorFields(error) }, 'request failed');
    return respondWithError(c, new ServiceError('storage_error'));
  };
}

export const routeNotFound: NotFoundHandler = (c) =>
  respondWithError(
    c,
    new ServiceError('invalid_input', 'There is no such route.', { status: 404 }),
  );
