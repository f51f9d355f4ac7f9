import type { Context, Hono } from 'hono';
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
