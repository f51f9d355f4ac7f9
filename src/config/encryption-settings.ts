import { Buffer } from 'node:buffer';
import * as v from 'valibot';
import { text, type Setting } from './setting.ts';

const keyId = /^[A-Za-z0-9._-]{1,64}$/;

/** 32 bytes, or null. Standard base64 in its one spelling: what was cut off must not pass. */
function readKey(encoded: string): Uint8Array | null {
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length === 32 && bytes.toString('base64') === encoded ? bytes : null;
}

/** Parts of `id:key,id:key`, or what is wrong with them; never what they hold. */
function readKeys(list: string): Map<string, Uint8Array> | string {
  const keys = new Map<string, Uint8Array>();
  for (const part of list.split(',')) {
    const colon = part.indexOf(':');
    const id = part.slice(0, Math.max(colon, 0)).trim();
    const key = readKey(part.slice(colon + 1).trim());
    if (!keyId.test(id)) return 'must be a comma list of ID:KEY';
    if (!key) return 'must hold keys of 32 bytes in base64';
    if (keys.has(id)) return 'must not name a key id twice';
    keys.set(id, key);
  }
  return keys;
}

/** Encryption of account data at rest (protocol dossier §7). */
export const encryptionSettings = {
  GUARDIAN_STORAGE_ENCRYPTION_KEY: {
    schema: v.optional(
      v.pipe(
        text,
        v.rawTransform(({ dataset, addIssue, NEVER }) => {
          const key = readKey(dataset.value);
          if (key) return key;
          addIssue({ message: 'must be 32 bytes in base64' });
          return NEVER;
        }),
      ),
    ),
    fallback: null,
    secret: true,
    meaning:
      'Key that account states, delta payloads and proposals are encrypted with in the database (AES-256-GCM), 32 bytes in base64, the same on all API processes; workers need none. Unset: they are stored in the clear. Only an empty store can begin to be encrypted, and it stays so.',
    reason: 'Whoever loses the keys loses the data: that is a decision.',
  },
  GUARDIAN_STORAGE_ENCRYPTION_KEY_ID: {
    schema: v.pipe(
      text,
      v.regex(keyId, 'must be 1 to 64 letters, digits, dots, dashes or underscores'),
    ),
    fallback: 'k1',
    meaning: 'Name of that key; it is stored beside everything the key has encrypted.',
    reason: 'Upstream default.',
  },
  GUARDIAN_STORAGE_ENCRYPTION_OLD_KEYS: {
    schema: v.optional(
      v.pipe(
        text,
        v.rawTransform(({ dataset, addIssue, NEVER }) => {
          const keys = readKeys(dataset.value);
          if (typeof keys !== 'string') return keys;
          addIssue({ message: keys });
          return NEVER;
        }),
      ),
    ),
    fallback: null,
    secret: true,
    meaning:
      'Further keys that decrypt but do not encrypt, a comma list of `ID:KEY`; the key a store was first encrypted with has to stay among them.',
    reason: 'What an earlier key has encrypted stays readable after a rotation.',
  },
} as const satisfies Record<string, Setting<unknown>>;
