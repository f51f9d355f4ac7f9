/** Verification of Falcon-512 signatures over a word, and the commitment of a public key. */
import { hashElements } from '../hash/poseidon2.ts';
import type { Word } from '../word.ts';
import type { FalconSignature } from './codec.ts';
import { hashToPoint } from './hash-to-point.ts';
import { N, NORM_BOUND, Q } from './parameters.ts';
import { centred, inverseTransform, multiplyTransformed, residues, transform } from './ring.ts';

/** Poseidon2 over the 512 coefficients: how accounts and requests name a Falcon key. */
export function publicKeyCommitment(publicKey: Int32Array): Word {
  return hashElements(Array.from(publicKey, BigInt));
}

/** Whether the signature is one of `message` under the key it carries. */
export function verifySignature(message: Word, signature: FalconSignature): boolean {
  const { s2, publicKey } = signature;
  const c = hashToPoint(message);
  const product = inverseTransform(
    multiplyTransformed(transform(residues(s2)), transform(publicKey.slice())),
  );
  let norm = 0;
  for (let i = 0; i < N; i += 1) {
    const s1 = centred((c[i]! - product[i]! + Q) % Q);
    norm += s1 * s1 + s2[i]! * s2[i]!;
  }
  return norm < NORM_BOUND;
}
