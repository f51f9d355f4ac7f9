/** A secret in a file that only its owner may read. */
import { open } from 'node:fs/promises';

import { acknowledgementLimits } from '../../limits.ts';

const GROUP_AND_OTHERS = 0o077;

/** @throws Error naming the path when the file is missing, exposed to others or too large. */
export async function readSecretFile(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    // Of the open file: what is checked is what is read.
    const { mode, size } = await file.stat();
    if ((mode & GROUP_AND_OTHERS) !== 0) {
      throw new Error(`${path} is accessible to others than its owner: set its mode to 0600`);
    }
    if (size > acknowledgementLimits.secretBytes) throw new Error(`${path} is too large for a key`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
