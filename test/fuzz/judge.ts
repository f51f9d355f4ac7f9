import { errorTable } from '../../src/errors.ts';
import { operationOf, violation } from '../http/contract/judge.ts';
import type { Prepared } from '../http/signed.ts';

const codes = new Set(errorTable().map(({ code }) => code));

/** What no answer may tell: places in the code, statements, the machine. */
const internals =
  /\n\s+at |node_modules|file:\/\/|\.ts\b|\/src\/|PostgresError|\bselect .* from\b|guardian\.\w+\(|127\.0\.0\.1/;

/** What is wrong with an answer; undefined when nothing is. */
export function faultOf(request: Prepared, response: Response, text: string): string | undefined {
  const method = request.init.method ?? 'GET';
  const { status } = response;
  if (method === 'HEAD' || method === 'OPTIONS')
    return status < 500 ? undefined : `status ${status}`;
  const type = response.headers.get('content-type') ?? '';
  if (status < 400 && !type.startsWith('application/json')) return undefined; // page and script
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return `status ${status} without JSON: ${text.slice(0, 100)}`;
  }
  if (status >= 400) {
    if (internals.test(text)) return `internals: ${text.slice(0, 300)}`;
    const { code } = body as { code?: string };
    if (code === undefined || !codes.has(code)) return `unknown code in ${text.slice(0, 100)}`;
    // what the chain of EVM accounts says of an address that is no account there, or that it is away
    if (status >= 500 && !code.startsWith('rpc_')) return `${status}: ${text}`;
  }
  const operation = operationOf(method, request.path);
  if (operation !== undefined) return violation(operation, status, body);
  return [404, 405].includes(status) ? undefined : `status ${status} of no known route`;
}
