import * as v from 'valibot';
import type { ApiPart } from './openapi/operation.ts';
import type { Route } from './routes.ts';

export interface Readiness {
  ready: boolean;
  /** Why not, in words for the operator; no internals. */
  reason?: string;
}

/**
 * `GET /healthz`: the process runs. `GET /readyz`: it can do its work (database reachable,
 * migrations applied), 503 with the reason otherwise. Both stand outside rate limits.
 */
export function healthRoutes(checkReadiness: () => Promise<Readiness>): Route[] {
  return [
    { method: 'GET', path: '/healthz', handle: (c) => c.json({ status: 'ok' }) },
    {
      method: 'GET',
      path: '/readyz',
      handle: async (c) => {
        const readiness = await checkReadiness();
        return readiness.ready
          ? c.json({ status: 'ready' })
          : c.json({ status: 'not ready', reason: readiness.reason }, 503);
      },
    },
  ];
}

export const healthyAnswer = v.object({ status: v.literal('ok') });
export const readyAnswer = v.object({ status: v.literal('ready') });
export const notReadyAnswer = v.object({ status: v.literal('not ready'), reason: v.string() });

/** Canonry's own: upstream has no such routes. */
export const healthPart: ApiPart = {
  tag: 'Health',
  description: 'Canonry’s own routes for platforms and operators.',
  operations: [
    {
      method: 'GET',
      path: '/healthz',
      id: 'healthz',
      summary: 'Whether the process runs.',
      answers: [{ status: 200, description: 'It runs.', schema: healthyAnswer }],
    },
    {
      method: 'GET',
      path: '/readyz',
      id: 'readyz',
      summary: 'Whether the process can do its work: database reached, migrations applied.',
      answers: [
        { status: 200, description: 'It can.', schema: readyAnswer },
        { status: 503, description: 'It cannot, and why.', schema: notReadyAnswer },
      ],
    },
  ],
};
