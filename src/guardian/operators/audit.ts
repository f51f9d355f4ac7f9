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
    await context.sql`select guardian.record_denial(${operator.commitment}, ${accountId},
      ${payload}::text::json, 'GUARDIAN_INSUFFICIENT_OPERATOR_PERMISSION',
      ${clientAddress(c, context.trustedProxy)})`;
  } catch (error) {
    const fields = { operator: operator.commitment, account: accountId, missing };
    context.log.error({ ...fields, ...errorFields(error) }, 'a denial was not put on record');
  }
}
