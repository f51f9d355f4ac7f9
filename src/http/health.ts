import type { Hono } from 'hono';

export interface Readiness {
  ready: boolean;
  /** Why not, in words for the operator; no internals. */
  reason?: string;
}

/**
 * `GET /healthz`: the process runs. `GET /readyz`: it can do its work (database reachable,
 * migrations applied), 503 with the reason otherwise. Both stand outside rate limits.
 */
export function mountHealth(app: Hono, checkReadiness: () => Promise<Readiness>): void {
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    const readiness = await checkReadiness();
    return readiness.ready
      ? c.json({ status: 'ready' })
      : c.json({ status: 'not ready', reason: readiness.reason }, 503);
  });
}
