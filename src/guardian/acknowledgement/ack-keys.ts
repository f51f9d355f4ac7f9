/** The acknowledgement keys and where they come from. Errors and logs never hold a key. */
import { hexToBytes } from '@noble/hashes/utils.js';

import { acknowledgementLimits } from '../../limits.ts';
import { ecdsaPublicKey } from '../networks/miden/ecdsa.ts';
import { decodeSecretKey } from '../networks/miden/falcon/secret-key.ts';
import type { SignatureScheme } from '../networks/network.ts';
import { openKeystore } from './keystore.ts';
import { readSecretFile } from './secret-file.ts';

/** Secret keys: 1281 bytes of Falcon, 32 bytes of ECDSA. */
export type AckKeys = Record<SignatureScheme, Uint8Array>;

export type AckKeySource =
  /** Generated on first use and kept in a directory: for one machine. */
  | { provider: 'none'; directory: string }
  | { provider: 'file'; falconPath: string; ecdsaPath: string }
  /** The values themselves, which the caller took from its environment. */
  | { provider: 'env'; falcon: string; ecdsa: string };

/** A key is missing, unreadable, exposed or malformed; the text says which, never what it holds. */
class AckKeyError extends Error {
  override name = 'AckKeyError';
}

/** @throws AckKeyError */
export async function loadAckKeys(source: AckKeySource): Promise<AckKeys> {
  const texts = await readTexts(source);
  return {
    falcon: parseKey('falcon', texts.falcon, (bytes) => decodeSecretKey(bytes)),
    ecdsa: parseKey('ecdsa', texts.ecdsa, (bytes) => ecdsaPublicKey(bytes)),
  };
}

async function readTexts(source: AckKeySource): Promise<Record<SignatureScheme, string>> {
  try {
    switch (source.provider) {
      case 'env':
        return source;
      case 'file':
        return {
          falcon: await readSecretFile(source.falconPath),
          ecdsa: await readSecretFile(source.ecdsaPath),
        };
      case 'none':
        return await openKeystore(source.directory);
    }
  } catch (error) {
    throw new AckKeyError(error instanceof Error ? error.message : 'a key cannot be read');
  }
}

/** @param check throws when the bytes are not a key of this scheme. */
function parseKey(
  scheme: SignatureScheme,
  text: string,
  check: (bytes: Uint8Array) => unknown,
): Uint8Array {
  const digits = /^\s*(?:0x)?((?:[0-9a-fA-F]{2})+)\s*$/.exec(text)?.[1];
  if (digits === undefined || text.length > acknowledgementLimits.secretBytes) {
    throw new AckKeyError(`the ${scheme} acknowledgement key is not hex`);
  }
  const bytes = hexToBytes(digits);
  try {
    check(bytes);
  } catch {
    throw new AckKeyError(`the ${scheme} acknowledgement key is not a key of that scheme`);
  }
  return bytes;
}
