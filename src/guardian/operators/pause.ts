import type { Context } from 'hono';
import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { readJson } from '../../http/body.ts';
import { clientAddress } from '../../http/client-address.ts';
import { operatorLimits } from '../../limits.ts';
import { requireNamedAccount } from './account-id.ts';
import type { Operator } from './allowlist.ts';
import type { OperatorContext } from './context.ts';

/** Characters as a person counts them; a zero character or half of one cannot be stored. */
const reason = v.pipe(
  v.string(),
  v.check((text) => text.trim() !== '' && !text.includes('\0') && text.isWellFormed()),
  v.check((text) => Array.from(text).length <= operatorLimits.reasonCharacters),
);
/** Bodies of pause and unpause. */
export const pauseBody = v.object({ reason });
export const unpauseBody = v.object({ reason: v.optional(v.nullable(reason), null) });

/**
 * POST /dashboard/accounts/{id}/pause (protocol §1.5, O14). State and audit row commit together;
 * a paused account keeps the time and reason it has.
 * @throws ServiceError `invalid_input`, `account_not_found`
 */
export async function pauseAccount(c: Context, context: OperatorContext, operator: Operator) {
  const body = v.safeParse(pauseBody, await readPauseBody(c));
  const { accountId } = requireNamedAccount(c);
  if (!body.success) throw invalidReason();
  const [row] = await context.sql<
    { before_state: string; paused_since: Date; reason: string | null }[]
  >`select before_state, paused_since, reason from guardian.pause_account(
      ${accountId}, ${operator.commitment}, ${body.output.reason}, ${clientAddress(c, context.trustedProxy)})`;
  if (!row) throw new ServiceError('account_not_found');
  return {
    account_id: accountId,
    before_state: row.before_state,
    after_state: 'paused',
    paused_at: row.paused_since.toISOString(),
    paused_reason: row.reason ?? '',
  };
}

/**
 * POST /dashboard/accounts/{id}/unpause (O15); the body, and the reason in it, may be left out.
 * @throws ServiceError `invalid_input`, `account_not_found`
 */
export async function unpauseAccount(c: Context, context: OperatorContext, operator: Operator) {
  const body = v.safeParse(unpauseBody, hasBody(c) ? await readPauseBody(c) : {});
  const { accountId } = requireNamedAccount(c);
  if (!body.success) throw invalidReason();
  const { reason: given } = body.output;
  const [row] = await context.sql<{ before_state: string | null }[]>`
    select guardian.unpause_account(${accountId}, ${operator.commitment}, ${given},
      ${clientAddress(c, context.trustedProxy)}) as before_state`;
  if (!row?.before_state) throw new ServiceError('account_not_found');
  return {
    account_id: accountId,
    before_state: row.before_state,
    after_state: 'active',
    reason: given,
  };
}

function hasBody(c: Context): boolean {
  return (
    c.req.header('content-type') !== undefined ||
    Number(c.req.header('content-length') ?? 0) > 0 ||
    c.req.header('transfer-encoding') !== undefined
  );
}

/** An empty body is an empty object. */
const readPauseBody = (c: Context) => readJson(c, operatorLimits.requestBytes, {});

const invalidReason = () =>
  new ServiceError(
    'invalid_input',
    `The reason must have 1 to ${operatorLimits.reasonCharacters} characters.`,
  );
