import { readJson } from '../../http/body.ts';
import type { Route } from '../../http/routes.ts';
import { operatorLimits } from '../../limits.ts';
import { withFaults } from '../http/faults.ts';
import type { OperatorContext } from './context.ts';
import { dashboardRoutes } from './dashboard-routes.ts';
import { challengeOperator, openOperatorSession } from './login.ts';
import { endSession, requireOperator, sendSession } from './session.ts';

/** The API of operators (protocol §1.5, O1 to O15). */
export function operatorRoutes(context: OperatorContext): Route[] {
  return [...loginRoutes(context).map(withFaults), ...dashboardRoutes(context)];
}

function loginRoutes(context: OperatorContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/auth/challenge',
      handle: async (c) => c.json(await challengeOperator(context, c.req.query('commitment'))),
    },
    {
      method: 'POST',
      path: '/auth/verify',
      handle: async (c) => {
        const session = await openOperatorSession(
          context,
          await readJson(c, operatorLimits.loginBytes),
        );
        sendSession(c, context, session);
        return c.json({
          success: true,
          operator_id: session.operatorId,
          expires_at: session.expiresAt.toISOString(),
        });
      },
    },
    {
      method: 'POST',
      path: '/auth/logout',
      handle: async (c) => {
        await endSession(c, context);
        return c.json({ success: true });
      },
    },
    {
      method: 'GET',
      path: '/dashboard/session',
      handle: async (c) => {
        const { commitment, permissions } = await requireOperator(c, context);
        return c.json({ operator_id: commitment, permissions });
      },
    },
  ];
}
