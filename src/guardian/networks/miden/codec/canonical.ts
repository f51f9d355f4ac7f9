import { UnverifiableError } from '../../network.ts';

/**
 * Commitments do not cover every byte, but cosigners compare bytes: what would be written
 * differently than it was read is refused.
 * @throws UnverifiableError when the two differ.
 */
export function requireSameBytes(subject: string, read: Uint8Array, written: Uint8Array): void {
  if (read.length === written.length && read.every((byte, i) => byte === written[i])) return;
  throw new UnverifiableError(`${subject}: not in canonical form`);
}
