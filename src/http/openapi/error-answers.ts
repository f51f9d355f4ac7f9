/** What an operation refuses with, as the document tells it: one response for each status. */
import { errorRow, type ErrorCode } from '../../errors.ts';
import type { Access, ApiPart, Operation } from './operation.ts';

const framework = 'invalid_input';

/** Refusals of the body itself, before anybody looks at what it says. */
const bodyRefusals: readonly [number, string][] = [
  [408, 'The body did not arrive within half a minute.'],
  [413, 'The body is larger than GUARDIAN_MAX_REQUEST_BYTES.'],
  [415, 'The body is not application/json.'],
];

/** The responses for errors, by status. */
export function errorAnswers(
  operation: Operation,
  part: ApiPart,
  access: Access | undefined,
): Record<string, object> {
  const codes = new Set<ErrorCode>([
    ...(operation.body ? ([framework] as const) : []),
    ...(access?.errors ?? []),
    ...(part.errors ?? []),
    ...(operation.errors ?? []),
  ]);
  const byStatus = new Map<number, { codes: string[]; reasons: string[] }>();
  const add = (status: number, code: string, reason: string) => {
    const group = byStatus.get(status) ?? { codes: [], reasons: [] };
    if (!group.codes.includes(code)) group.codes.push(code);
    group.reasons.push(`\`${code}\`: ${reason}`);
    byStatus.set(status, group);
  };
  for (const code of codes) {
    const { wire, status, message } = errorRow(code);
    add(status, wire, message);
  }
  if (operation.body) for (const [status, reason] of bodyRefusals) add(status, framework, reason);
  if (part.optional) add(404, framework, 'This part of the API is not served here.');
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [status, response(group.codes, group.reasons)]),
  );
}

function response(codes: string[], reasons: string[]): object {
  const comesBack = codes.some((code) => hinted.has(code));
  return {
    description: reasons.join('\n\n'),
    ...(comesBack
      ? { headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } }
      : {}),
    content: {
      'application/json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Error' },
            { type: 'object', properties: { code: { enum: codes } } },
          ],
        },
      },
    },
  };
}

/** Codes whose envelope may carry `meta.retry_after_secs`, and the header with it. */
const hinted = new Set(['conflict_pending_delta', 'data_unavailable', 'rate_limit_exceeded']);
