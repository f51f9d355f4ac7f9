/** Keys generated on first use: one hex file a scheme, mode 0600, in a directory of mode 0700. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { bytesToHex } from '@noble/hashes/utils.js';

import { generateEcdsaKey } from '../networks/miden/ecdsa.ts';
import { generateSecretKey } from '../networks/miden/falcon/secret-key.ts';
import type { SignatureScheme } from '../networks/network.ts';
import { readSecretFile } from './secret-file.ts';

/**
 * Reads both keys, first generating what is missing. Of several processes that start at once on
 * one directory all get the same keys.
 * @throws Error naming the path when the directory or a file is exposed or not accessible.
 */
export async function openKeystore(directory: string): Promise<Record<SignatureScheme, string>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (((await stat(directory)).mode & 0o077) !== 0) {
    throw new Error(`${directory} is accessible to others than its owner: set its mode to 0700`);
  }
  return {
    falcon: await readOrCreate(directory, 'falcon.key', generateSecretKey),
    ecdsa: await readOrCreate(directory, 'ecdsa.key', generateEcdsaKey),
  };
}

async function readOrCreate(
  directory: string,
  name: string,
  generate: () => Uint8Array,
): Promise<string> {
  const path = join(directory, name);
  try {
    return await readSecretFile(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  await create(directory, path, generate());
  return readSecretFile(path);
}

/** Complete and durable before it has its name; the first process to link it wins. */
async function create(directory: string, path: string, key: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${bytesToHex(key)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  const entries = await open(directory, 'r');
  try {
    await entries.sync();
  } finally {
    await entries.close();
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
