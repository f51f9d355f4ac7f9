import { Hono, type MiddlewareHandler } from 'hono';
import { accessLog } from '../http/access-log.ts';
import { corsPolicy, sessionsOfAllowedOrigins } from '../http/cors.ts';
import { errorHandler, routeNotFound } from '../http/errors.ts';
import { documentRoutes } from '../http/api-docs.ts';
import { healthRoutes, type Readiness } from '../http/health.ts';
import { requestMetrics } from '../http/metrics.ts';
import { requestLimit, type RequestLimits } from '../http/rate-limit/request-limit.ts';
import { mountRoutes, type Route } from '../http/routes.ts';
import type { Log } from '../observability/log.ts';
import { unobserved, type Metrics } from '../observability/metrics.ts';

/**
 * The API as one Hono application: the same on Node, on Deno, and in the all-in-one process.
 * Order of layers, outermost first: metrics, access log, CORS and other headers, rate limits, routes;
 * the body limit is applied where a body is read.
 */
export function createApp(options: {
  routes: readonly Route[];
  corsAllowedOrigins: readonly string[] | undefined;
  checkReadiness: () => Promise<Readiness>;
  /** Left out: no limits. */
  requestLimits?: RequestLimits | undefined;
  log: Log;
  metrics?: Metrics;
}): Hono {
  const app = new Hono();
  const { metrics = unobserved } = options;
  if (metrics !== unobserved) app.use(requestMetrics(metrics));
  app.use(accessLog(options.log));
  app.use(corsPolicy(options.corsAllowedOrigins));
  app.use(answersForOneClient);
  app.use(sessionsOfAllowedOrigins(options.corsAllowedOrigins));
  // before the limits: whoever watches over this machine is no client
  mountRoutes(app, healthRoutes(options.checkReadiness));
  if (options.requestLimits) app.use(requestLimit(options.requestLimits));
  mountRoutes(app, [
    ...documentRoutes(async () => (await import('./api-document.ts')).apiDocument()),
    ...options.routes,
  ]);
  app.notFound(routeNotFound);
  app.onError(errorHandler(options.log));
  return app;
}

/** No cache between keeps an answer unless its route says so, and no browser guesses what it is. */
const answersForOneClient: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
  c.header('x-content-type-options', 'nosniff');
};
