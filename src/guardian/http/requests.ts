import type { Context } from 'hono';
import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { bodyTooLarge, readJsonText } from '../../http/body.ts';
import { largestNonce } from '../wire-values.ts';
import { wordText } from '../accounts/wire.ts';
import { parseAccountId, readSignatureHeaders } from '../authentication/authenticate.ts';
import type { SignedRequest } from '../authentication/signed-request.ts';
import {
  canonicalJson,
  InvalidJsonError,
  parseJson,
  type JsonValue,
} from '../authentication/canonical-json.ts';

/** A signed body: what it says, and what was signed. */
export interface SignedBody {
  body: JsonValue;
  request: Omit<SignedRequest, 'accountId'>;
}

/**
 * Reads a signed JSON body; the signed payload is the canonical form of the whole body
 * (protocol §2.3), members that the server does not know included.
 * @throws ServiceError; 413 also for a canonical form over the limit: hashing it is what costs,
 *   and a float such as 1e15 has four times as many characters in it
 */
export async function readSignedBody(c: Context, maxBytes: number): Promise<SignedBody> {
  const text = await readJsonText(c, maxBytes);
  let body: JsonValue;
  let payload: string;
  try {
    body = parseJson(text);
    payload = canonicalJson(body);
  } catch (error) {
    if (!(error instanceof InvalidJsonError)) throw error;
    throw new ServiceError('invalid_input', `The body cannot be read: ${error.message}.`);
  }
  if (payload.length > maxBytes) throw bodyTooLarge(maxBytes);
  const headers = readHeaders(c);
  return { body, request: { ...headers, payload } };
}

/**
 * Reads a signed query; `payload` is the object that was signed, with the types of the protocol
 * (`nonce` is a number although the URL holds text).
 * @throws ServiceError
 */
export function readSignedQuery(c: Context, payload: Record<string, JsonValue>): SignedRequest {
  const accountId = parseAccountId(c.req.query('account_id'));
  const headers = readHeaders(c);
  return { ...headers, accountId, payload: canonicalJson({ account_id: accountId, ...payload }) };
}

const nonceText = v.pipe(
  v.string(),
  v.regex(/^\d{1,20}$/),
  v.transform((text) => BigInt(text)),
  v.maxValue(largestNonce),
);

/** @throws ServiceError `invalid_input` */
export function readNonce(c: Context): bigint {
  const nonce = v.safeParse(nonceText, c.req.query('nonce'));
  if (!nonce.success) throw new ServiceError('invalid_input', 'The nonce must be a whole number.');
  return nonce.output;
}

/** The three headers of a signed request. @throws ServiceError `authentication_failed` */
export function readHeaders(c: Context): Omit<SignedRequest, 'accountId' | 'payload'> {
  return readSignatureHeaders((name) => c.req.header(name));
}

/** @throws ServiceError `invalid_input` */
export function parseKeyCommitment(text: string | undefined): string {
  const parsed = v.safeParse(wordText, text);
  if (!parsed.success) {
    throw new ServiceError('invalid_input', 'key_commitment must be a word: 0x and 64 hex digits.');
  }
  return parsed.output;
}

/** Integers keep all their digits: `nonce` has 64 bits, and payloads come back as they were. */
export function exactJson(c: Context, value: JsonValue, status: 200 | 202 = 200): Response {
  return c.body(canonicalJson(value), status, { 'content-type': 'application/json' });
}
