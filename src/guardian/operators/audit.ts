import type { Context } from 'hono';
import { clientAddress } from '../../http/client-address.ts';
import { errorFields } from '../../observability/log.ts';
import type { Operator } from './allowlist.ts';
import type { OperatorContext } from './context.ts';

/** Puts a denial on record. The denial stands without the record, which is then in the log. */
export async function recordDenial(
  c: Context,
  context: OperatorContext,
  denial: { operator: Operator; accountId: string | null; missing: readonly string[] },
): Promise<void> {
  const { operator, accountId, missing } = denial;
  const payload = JSON.stringify({ missing_permissions: missing, method: c.req.method });
  try {
    await context.sql`
      insert into guardian.admin_action (operator_identity, action_kind, target_account_id,
        payload, outcome, error_code, client_ip)
      values (${operator.commitment}, 'auth.denied', ${accountId}, ${payload}::text::json,
        'denied', 'GUARDIAN_INSUFFICIENT_OPERATOR_PERMISSION', ${clientAddress(c, context.trustedProxy)})`;
  } catch (error) {
    const fields = { operator: operator.commitment, account: accountId, missing };
    context.log.error({ ...fields, ...errorFields(error) }, 'a denial was not put on record');
  }
}
