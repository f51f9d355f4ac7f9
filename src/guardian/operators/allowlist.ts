/**
 * Who is an operator and what one may do: a JSON file that is read again for every request, so
 * that a removed operator or a changed permission counts from the next request on.
 */
import { open } from 'node:fs/promises';
import * as v from 'valibot';
import { hexToBytes } from '@noble/hashes/utils.js';
import { ServiceError } from '../../errors.ts';
import { operatorLimits } from '../../limits.ts';
import type { Log } from '../../observability/log.ts';
import { keyIdentity } from '../authentication/key-identity.ts';
import type { SignatureScheme } from '../networks/network.ts';

/** Protocol §2.8; clients know no others. */
const permissions = ['accounts:pause', 'dashboard:read', 'policies:write'] as const;
export type Permission = (typeof permissions)[number];

export interface Operator {
  /** The key's commitment, which is the operator's id. */
  commitment: string;
  scheme: SignatureScheme;
  /** Sorted, without duplicates. */
  permissions: readonly Permission[];
}

export interface Allowlist {
  /**
   * The operator whose key has this commitment, as the list is now.
   * @throws ServiceError `configuration_error` while the list cannot be used
   */
  find(commitment: string): Promise<Operator | undefined>;
}

/** The list cannot be used. The message is for the operator's log and start-up, not for clients. */
export class AllowlistError extends Error {
  override name = 'AllowlistError';
}

/** Without a file there are no operators. */
export const noOperators: Allowlist = { find: () => Promise.resolve(undefined) };

const publicKey = v.pipe(v.string(), v.regex(/^(?:0x)?(?:[0-9a-fA-F]{2})+$/));
const entries = v.array(
  v.union([
    publicKey,
    v.strictObject({ public_key: publicKey, permissions: v.array(v.picklist(permissions)) }),
  ]),
);

/**
 * Opens the list; what makes it unusable is an error now, and later a refusal of every request.
 * @throws AllowlistError
 */
export async function openAllowlist(file: string, log: Log): Promise<Allowlist> {
  const text = await read(file);
  let known: Known = { text, operators: parseAllowlist(text) };
  let failing = false;
  return {
    async find(commitment) {
      try {
        const current = await read(file);
        if (current !== known.text) known = parseOnce(current);
        if ('error' in known) throw known.error;
        failing = false;
        return known.operators.get(commitment);
      } catch (cause) {
        if (!failing) log.error({ error: String(cause) }, 'the list of operators cannot be used');
        failing = true;
        throw new ServiceError('configuration_error', undefined, { cause });
      }
    },
  };
}

/** A list and what was found in it: a mebibyte takes too long to look at for each request. */
type Known = { text: string } & (
  { operators: ReadonlyMap<string, Operator> } | { error: AllowlistError }
);

function parseOnce(text: string): Known {
  try {
    return { text, operators: parseAllowlist(text) };
  } catch (error) {
    if (!(error instanceof AllowlistError)) throw error;
    return { text, error };
  }
}

/**
 * Operators by key commitment. An entry is a key in hex, which may look at the dashboard, or
 * `{ "public_key", "permissions" }` (protocol §2.8).
 * @throws AllowlistError naming the entry, never its content
 */
function parseAllowlist(text: string): ReadonlyMap<string, Operator> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AllowlistError('it is not JSON');
  }
  const parsed = v.safeParse(entries, value);
  if (!parsed.success) {
    const entry = parsed.issues[0].path?.[0]?.key;
    throw new AllowlistError(
      typeof entry === 'number' ? `entry ${entry} is not valid` : 'it is not a list',
    );
  }
  const operators = new Map<string, Operator>();
  for (const [index, entry] of parsed.output.entries()) {
    const { public_key: key, permissions: granted } =
      typeof entry === 'string'
        ? { public_key: entry, permissions: ['dashboard:read' as const] }
        : entry;
    const identity = keyIdentity(hexToBytes(key.replace(/^0x/, '')));
    if (!identity) throw new AllowlistError(`entry ${index} is not a public key`);
    if (operators.has(identity.commitment)) {
      throw new AllowlistError(`entry ${index} repeats a key`);
    }
    operators.set(identity.commitment, {
      ...identity,
      permissions: [...new Set(granted)].toSorted(),
    });
  }
  return operators;
}

/** @throws AllowlistError */
async function read(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const stat = await file.stat();
      // a device has no size and no end
      if (!stat.isFile()) throw new AllowlistError('it is not a file');
      if (stat.size > operatorLimits.allowlistBytes) throw new AllowlistError('it is too large');
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof AllowlistError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new AllowlistError(`it cannot be read (${code})`);
  }
}
