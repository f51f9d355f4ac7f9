import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';
import { wordFromHex } from '../networks/miden/word.ts';
import { UnverifiableError, type SignatureScheme } from '../networks/network.ts';
import { timeText } from '../wire-values.ts';

/** `0x` + 64 lower-case hex digits: the only spelling of a commitment that is stored. */
export const commitmentText = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{64}$/));

/** The same, of a word: what somebody signs, or a key is called. */
export const wordText = v.pipe(commitmentText, v.check(isWord));

function isWord(text: string): boolean {
  try {
    wordFromHex(text);
    return true;
  } catch (error) {
    if (error instanceof UnverifiableError) return false;
    throw error;
  }
}

const cosigners = v.object({
  cosigner_commitments: v.pipe(
    v.array(commitmentText),
    v.minLength(1),
    v.check((list) => new Set(list).size === list.length),
  ),
});

/** Body of POST /configure; the clients never send `network_config`. */
export const configureBody = v.object({
  account_id: v.string(),
  auth: v.union([
    v.strictObject({ MidenFalconRpo: cosigners }),
    v.strictObject({ MidenEcdsa: cosigners }),
  ]),
  network_config: v.optional(v.nullable(v.unknown())),
  initial_state: v.object({ data: v.string(), account_id: v.optional(v.string()) }),
});

export type ConfigureBody = v.InferOutput<typeof configureBody>;

/** Answer of POST /configure. */
export const configuredAnswer = v.object({
  success: v.literal(true),
  message: v.string(),
  ack_pubkey: v.string(),
  ack_commitment: commitmentText,
});

/** StateObject (protocol §1.2). */
export const stateAnswer = v.object({
  account_id: v.string(),
  state_json: v.object({ data: v.string(), account_id: v.string() }),
  commitment: commitmentText,
  created_at: timeText,
  updated_at: timeText,
  auth_scheme: v.picklist(['falcon', 'ecdsa']),
});

/** Answer of GET /state/lookup. */
export const lookupAnswer = v.object({ accounts: v.array(v.object({ account_id: v.string() })) });

/** Scheme and signer set out of the externally tagged `auth`. */
export function authOf(body: ConfigureBody): { scheme: SignatureScheme; signers: string[] } {
  return 'MidenFalconRpo' in body.auth
    ? { scheme: 'falcon', signers: body.auth.MidenFalconRpo.cosigner_commitments }
    : { scheme: 'ecdsa', signers: body.auth.MidenEcdsa.cosigner_commitments };
}

const networkConfig = v.object({
  kind: v.literal('miden'),
  network_type: v.picklist(['local', 'devnet', 'testnet']),
});

const evmBlock = v.object({ kind: v.literal('evm') });
const forEvm = v.union([
  v.object({ network_config: evmBlock }),
  v.object({ auth: v.object({ EvmEcdsa: v.unknown() }) }),
  v.object({ account_id: v.pipe(v.string(), v.startsWith('evm:')) }),
]);

/**
 * What a body of POST /configure is refused for before anything else in it is looked at (protocol
 * §1.4, C5).
 * @throws ServiceError `invalid_network_config`; `unsupported_for_network` for what is an EVM
 *   account's
 */
export function assertForMiden(body: unknown): void {
  const block = v.is(v.object({ network_config: v.unknown() }), body) ? body.network_config : null;
  if (block !== null && !v.is(v.union([networkConfig, evmBlock]), block)) {
    throw new ServiceError('invalid_network_config');
  }
  if (v.is(forEvm, body)) throw new ServiceError('unsupported_for_network');
}

/**
 * Standard base64 as the clients send it.
 * @throws ServiceError with the given code when the text is not base64.
 */
export function decodeBase64(text: string, code: 'invalid_delta' | 'invalid_input'): Uint8Array {
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
    return bytes;
  }
  throw new ServiceError(code, 'The data is not base64.');
}

/** The reverse of decodeBase64, in steps that fit the argument limit of fromCharCode. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let offset = 0; offset < bytes.length; offset += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(offset, offset + 8_192));
  }
  return btoa(binary);
}
