import type { Context } from 'hono';
import { errorFields } from '../../observability/log.ts';
import type { Operator } from './allowlist.ts';
import type { OperatorContext } from './context.ts';

/**
 * Where a request came from, for the audit: what the nearest proxy says, if one is trusted; null
 * otherwise.
 */
export function clientAddress(c: Context, { cookies }: OperatorContext): string | null {
  if (!cookies.trustProxy) return null;
  const address = c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim();
  return address && /^[0-9a-fA-F:.]{2,45}$/.test(address) ? address : null;
}

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
        'denied', 'GUARDIAN_INSUFFICIENT_OPERATOR_PERMISSION', ${clientAddress(c, context)})`;
  } catch (error) {
    const fields = { operator: operator.commitment, account: accountId, missing };
    context.log.error({ ...fields, ...errorFields(error) }, 'a denial was not put on record');
  }
}
