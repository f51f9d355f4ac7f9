import { UnverifiableError } from '../../network.ts';

/**
 * Commitments do not cover every byte, but cosigners compare bytes: what would be written
 * differently than it was read is refused.
 * @throws UnverifiableError when the two differ.
 */
export function requireSameBytes(subject: string, read: Uint8Array, written: Uint8Array): void {
  let isSame = read.length === written.length;
  for (let i = 0; isSame && i < read.length; i++) isSame = read[i] === written[i];
  if (!isSame) throw new UnverifiableError(`${subject}: not in canonical form`);
}
