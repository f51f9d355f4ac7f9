import type { Context } from 'hono';
import { ServiceError } from '../../errors.ts';
import type { Route } from '../../http/routes.ts';
import type { JsonValue } from '../authentication/canonical-json.ts';
import { exactJson } from '../http/requests.ts';
import { namedAccount } from './account-id.ts';
import { listAccounts, readAccount, readSnapshot } from './accounts.ts';
import type { Operator, Permission } from './allowlist.ts';
import { recordDenial } from './audit.ts';
import type { OperatorContext } from './context.ts';
import { readDeltaDetail } from './delta-detail.ts';
import { listAccountDeltas, listDeltas } from './deltas.ts';
import { dashboardInfo } from './info.ts';
import { pauseAccount, unpauseAccount } from './pause.ts';
import { listAccountProposals, listProposals } from './proposals.ts';
import { requireOperator } from './session.ts';

/** What operators look at and do (protocol §1.5, O5 to O15). */
export function dashboardRoutes(context: OperatorContext): Route[] {
  const info = dashboardInfo(context);
  const json = (answer: (c: Context) => Promise<object>) => async (c: Context) =>
    c.json(await answer(c));
  /** 64-bit nonces keep all their digits. */
  const exact = (answer: (c: Context) => Promise<JsonValue>) => async (c: Context) =>
    exactJson(c, await answer(c));
  const reads: [string, (c: Context) => Promise<Response>][] = [
    ['/dashboard/info', json(() => info())],
    ['/dashboard/accounts', json((c) => listAccounts(c, context))],
    ['/dashboard/accounts/:id', json((c) => readAccount(c, context))],
    ['/dashboard/accounts/:id/snapshot', json((c) => readSnapshot(c, context))],
    ['/dashboard/accounts/:id/deltas', exact((c) => listAccountDeltas(c, context))],
    ['/dashboard/accounts/:id/deltas/:nonce', exact((c) => readDeltaDetail(c, context))],
    ['/dashboard/accounts/:id/proposals', exact((c) => listAccountProposals(c, context))],
    ['/dashboard/deltas', exact((c) => listDeltas(c, context))],
    ['/dashboard/proposals', exact((c) => listProposals(c, context))],
  ];
  return [
    ...reads.map(([path, answer]): Route => ({
      method: 'GET',
      path,
      handle: async (c) => {
        await requirePermission(c, context, 'dashboard:read');
        return withStorageFaults(() => answer(c));
      },
    })),
    ...([['pause', pauseAccount] as const, ['unpause', unpauseAccount] as const] as const).map(
      ([verb, change]): Route => ({
        method: 'POST',
        path: `/dashboard/accounts/:id/${verb}`,
        handle: async (c) => {
          const operator = await requirePermission(c, context, 'accounts:pause');
          return c.json(await change(c, context, operator));
        },
      }),
    ),
  ];
}

/**
 * The operator of the session, who must have the permission; a denial is put on record.
 * @throws ServiceError `authentication_failed`, `insufficient_operator_permission`,
 *   `configuration_error`
 */
async function requirePermission(
  c: Context,
  context: OperatorContext,
  permission: Permission,
): Promise<Operator> {
  const operator = await requireOperator(c, context);
  if (operator.permissions.includes(permission)) return operator;
  const missing = [permission];
  const accountId = namedAccount(c)?.accountId ?? null;
  await recordDenial(c, context, { operator, accountId, missing });
  throw new ServiceError('insufficient_operator_permission', undefined, {
    meta: { missing_permissions: missing },
  });
}

/** Whatever keeps a read from its data is worth another try (protocol §1.3). */
async function withStorageFaults<T>(answer: () => Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    throw new ServiceError('data_unavailable', undefined, { cause: error });
  }
}
