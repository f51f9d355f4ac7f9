/** Signing acknowledgements with decoded keys, as CPU work for a computation thread. */
import { bytesToHex } from '@noble/hashes/utils.js';

import { signEcdsa } from '../networks/miden/ecdsa.ts';
import { decodeSecretKey } from '../networks/miden/falcon/secret-key.ts';
import { sign as signFalcon } from '../networks/miden/falcon/sign.ts';
import { wordFromHex } from '../networks/miden/word.ts';
import type { SignatureScheme } from '../networks/network.ts';
import type { AckKeys } from './ack-keys.ts';

/**
 * Prepares the keys once; the function signs a summary commitment (`0x` + 64 hex digits) and
 * returns hex without `0x`.
 *
 * It throws FalconSigningError when no Falcon signature may be released.
 */
export function acknowledger(
  keys: AckKeys,
): (scheme: SignatureScheme, summaryCommitment: string) => string {
  const falconKey = decodeSecretKey(keys.falcon);
  return (scheme, summaryCommitment) => {
    const message = wordFromHex(summaryCommitment);
    return bytesToHex(
      scheme === 'falcon' ? signFalcon(falconKey, message) : signEcdsa(keys.ecdsa, message),
    );
  };
}
