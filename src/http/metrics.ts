import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono, type MiddlewareHandler } from 'hono';
import type { Metrics } from '../observability/metrics.ts';
import type { Prometheus } from '../observability/prometheus.ts';
import { routePattern } from './routes.ts';

/** Deno lets a client invent methods, and every label would be kept for good. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts requests by the pattern of their route; a path that is none of ours is `unknown`. */
export function requestMetrics(metrics: Metrics): MiddlewareHandler {
  let inFlight = 0;
  const gauge = (change: 1 | -1) => {
    inFlight += change;
    metrics.set('guardian_http_requests_in_flight', {}, inFlight);
  };
  return async (c, next) => {
    const started = performance.now();
    gauge(1);
    try {
      await next();
    } finally {
      gauge(-1);
    }
    const method = knownMethods.has(c.req.method) ? c.req.method : 'other';
    const route = routePattern(c) ?? 'unknown';
    const seconds = (performance.now() - started) / 1_000;
    metrics.count('guardian_http_requests_total', { method, route, status: String(c.res.status) });
    metrics.observe('guardian_http_request_duration_seconds', { method, route }, seconds);
  };
}

/**
 * The application of the metrics listener: one path, and for whoever sends the token when there is
 * one (`Authorization: Bearer`).
 */
export function metricsApp(
  prometheus: Pick<Prometheus, 'text' | 'contentType'>,
  options: { path: string; bearerToken: string | undefined },
): Hono {
  const app = new Hono();
  const wanted = options.bearerToken === undefined ? undefined : digest(options.bearerToken);
  app.get(options.path, async (c) => {
    const [, given = ''] = /^Bearer +(.+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
    // digests have one length, so the comparison takes the same time for every guess
    if (wanted && !timingSafeEqual(digest(given), wanted)) {
      return c.text('unauthorized', 401, { 'www-authenticate': 'Bearer' });
    }
    return c.body(await prometheus.text(), 200, {
      'content-type': prometheus.contentType,
      'cache-control': 'no-store',
    });
  });
  app.notFound((c) => c.text('not found', 404));
  // whatever it was, it is no business of the scraper's
  app.onError((_error, c) => c.text('failed', 500));
  return app;
}

const digest = (text: string) => createHash('sha256').update(text).digest();
