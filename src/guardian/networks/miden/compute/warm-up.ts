/** Runs what a request will run, so that code is compiled before the first one comes. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

import { computeLimits } from '../../../../limits.ts';
import { AuthenticationError } from '../../../authentication/signature.ts';
import { ECDSA_SIGNATURE_BYTES } from '../ecdsa.ts';
import { decodeSignature } from '../falcon/codec.ts';
import { publicKeyCommitment } from '../falcon/verify.ts';
import { wordToHex } from '../word.ts';
import type { Operations } from './compute.ts';

const ACCOUNT_ID = `0x${'00'.repeat(15)}`;

/**
 * Signs with both keys and verifies foreign and own signatures; it also proves, before a thread
 * takes work, that its keys and its arithmetic are sound.
 * @throws FalconSigningError
 */
export function warmUp(operations: Operations): void {
  for (let round = 0; round < computeLimits.warmUpRounds; round += 1) {
    const summaryCommitment = `0x${round.toString(16).padStart(2, '0').repeat(32)}`;
    const falcon = operations.acknowledge({ scheme: 'falcon', summaryCommitment });
    operations.acknowledge({ scheme: 'ecdsa', summaryCommitment });
    const { publicKey } = decodeSignature(hexToBytes(falcon));
    // The acknowledgement signs another word, so every check up to the last one passes.
    refuse(operations, 'falcon', falcon, wordToHex(publicKeyCommitment(publicKey)));
    const scalars = new Uint8Array(ECDSA_SIGNATURE_BYTES).fill(1);
    refuse(operations, 'ecdsa', bytesToHex(scalars), summaryCommitment);
  }
}

function refuse(
  operations: Operations,
  scheme: 'falcon' | 'ecdsa',
  signature: string,
  authorized: string,
): void {
  try {
    operations.verifyRequest({
      scheme,
      signature,
      accountId: ACCOUNT_ID,
      publicKey: '',
      timestamp: 0n,
      payload: '{"account_id":"warm-up"}',
      authorized: [authorized],
    });
  } catch (error) {
    if (error instanceof AuthenticationError) return;
    throw error;
  }
  throw new Error('a signature of another message was accepted');
}
