/**
 * What is stored in place of account data: `{ "v":1, "alg":"AES-256-GCM", "kid", "nonce", "ct" }`
 * with nonce and ciphertext in base64 (protocol dossier §7). The 16 bytes of the tag end the
 * ciphertext. The associated data says what is sealed and whose it is, so that an envelope opens
 * only where it was stored.
 */
import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import * as v from 'valibot';

const algorithm = 'AES-256-GCM';
/** Random nonces of 96 bits: one key may seal 2^32 messages (NIST SP 800-38D, 8.3). */
const nonceBytes = 12;
const tagBytes = 16;

const envelope = v.object({
  v: v.literal(1),
  alg: v.literal(algorithm),
  kid: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/)),
  nonce: v.string(),
  ct: v.string(),
});

export interface StorageKeys {
  /** Id of the key that encrypts. */
  active: string;
  /** Every key that decrypts, 32 bytes each, the active one among them. */
  keys: ReadonlyMap<string, Uint8Array>;
}

/** Something stored cannot be opened. The message is for operators and holds none of it. */
export class SealedDataError extends Error {
  override name = 'SealedDataError';
}

/** @param context what is sealed, and whose: the associated data. */
export function seal(
  { active, keys }: StorageKeys,
  context: string,
  content: Uint8Array,
): v.InferOutput<typeof envelope> {
  const key = keys.get(active);
  if (!key) throw new Error('the active key is not among the keys');
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  const encoded = { nonce: nonce.toString('base64'), ct: sealed.toString('base64') };
  return { v: 1, alg: algorithm, kid: active, ...encoded };
}

/**
 * @param stored JSON text of an envelope.
 * @throws SealedDataError for anything else, for an unknown key, and for an envelope that was
 *   changed or belongs elsewhere.
 */
export function open({ keys }: StorageKeys, context: string, stored: string): Uint8Array {
  const parsed = v.safeParse(envelope, parseJson(stored));
  if (!parsed.success) throw new SealedDataError('it is not an envelope');
  const { kid, nonce, ct } = parsed.output;
  const key = keys.get(kid);
  if (!key) throw new SealedDataError(`the key ${kid} is not configured`);
  const iv = Buffer.from(nonce, 'base64');
  const sealed = Buffer.from(ct, 'base64');
  if (iv.length !== nonceBytes || sealed.length < tagBytes) {
    throw new SealedDataError('it is not an envelope');
  }
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(-tagBytes));
  const content = decipher.update(sealed.subarray(0, -tagBytes));
  try {
    return Buffer.concat([content, decipher.final()]);
  } catch {
    throw new SealedDataError('it was changed, or it was stored for something else');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
