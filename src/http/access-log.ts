import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Log } from '../observability/log.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** Wire code of the error a request was answered with. */
    errorCode: string;
  }
}

/** One line for each finished request: route, status, time, error code; never query or body. */
export function accessLog(log: Log): MiddlewareHandler {
  return async (c, next) => {
    const started = performance.now();
    await next();
    const fields = {
      method: c.req.method,
      route: routePath(c, -1),
      status: c.res.status,
      ms: Math.round(performance.now() - started),
      ...(c.get('errorCode') ? { code: c.get('errorCode') } : {}),
    };
    if (c.res.status >= 500) log.error(fields, 'request');
    else log.info(fields, 'request');
  };
}
