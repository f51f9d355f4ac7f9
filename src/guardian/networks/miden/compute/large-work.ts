/** Keeps work on large accounts and bodies apart, so that nobody else waits behind it. */
import { computeLimits } from '../../../../limits.ts';
import type { Compute } from './compute.ts';

/**
 * What takes longer than about a tenth of a second goes to a pool of its own: a state of 1 MiB with
 * map entries only, which anybody may configure an account with, takes seconds. That pool is opened
 * when it is first needed, and again when that failed.
 */
export function separateLargeWork(ordinary: Compute, openLarge: () => Promise<Compute>): Compute {
  let large: Promise<Compute> | undefined;
  const forLarge = () => {
    large ??= openLarge().catch((error: unknown) => {
      large = undefined;
      throw error;
    });
    return large;
  };
  return {
    run: async (name, input) => (isLarge(input) ? await forLarge() : ordinary).run(name, input),
    async close() {
      const opened = await large?.catch(() => undefined);
      await Promise.all([ordinary.close(), opened?.close()]);
    },
  };
}

/** By what an operation reads: accounts and summaries, or the body that a signature covers. */
function isLarge(input: object): boolean {
  let bytes = 0;
  for (const [name, value] of Object.entries(input) as [string, unknown][]) {
    if (name === 'payload' && typeof value === 'string') {
      if (value.length > computeLimits.largePayloadCharacters) return true;
    }
    const parts: unknown[] = Array.isArray(value) ? value : [value];
    for (const part of parts) if (part instanceof Uint8Array) bytes += part.byteLength;
  }
  return bytes > computeLimits.largeBytes;
}
