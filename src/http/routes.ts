import type { Context, Hono } from 'hono';
import { matchedRoutes } from 'hono/route';
import { ServiceError } from '../errors.ts';

export interface Route {
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  handle(c: Context): Promise<Response> | Response;
}

/**
 * Registers the routes and, for each of their paths, the answer to every other method: 405
 * with `Allow`, in the envelope.
 */
export function mountRoutes(app: Hono, routes: readonly Route[]): void {
  const methods = new Map<string, string[]>();
  for (const route of routes) {
    app.on(route.method, route.path, (c) => route.handle(c));
    methods.set(route.path, [...(methods.get(route.path) ?? []), route.method]);
  }
  for (const [path, allowed] of methods) {
    app.all(path, (c) => {
      c.header('allow', [...allowed, 'OPTIONS'].join(', '));
      throw new ServiceError('invalid_input', 'This method is not allowed here.', { status: 405 });
    });
  }
}

/**
 * The pattern of the route a request is for, undefined where there is none; never its path, which
 * is the client's choice.
 */
export function routePattern(c: Context): string | undefined {
  return matchedRoutes(c)
    .map(({ path }) => path)
    .findLast((path) => path !== '/*');
}
