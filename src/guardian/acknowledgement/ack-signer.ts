/**
 * The guardian's own signature over a transaction summary (protocol dossier §6): the account's
 * on-chain guardian check accepts it. One Falcon and one ECDSA key a deployment, the same on
 * every replica.
 */
import { bytesToHex } from '@noble/hashes/utils.js';

import { ecdsaCommitments, ecdsaPublicKey } from '../networks/miden/ecdsa.ts';
import { encodePublicKey } from '../networks/miden/falcon/codec.ts';
import { decodeSecretKey } from '../networks/miden/falcon/secret-key.ts';
import { publicKeyCommitment } from '../networks/miden/falcon/verify.ts';
import { wordToHex } from '../networks/miden/word.ts';
import type { InspectedAccount, SignatureScheme } from '../networks/network.ts';
import type { AckKeys } from './ack-keys.ts';

export interface AckSigner {
  /** `0x` + hex: 897 bytes for Falcon, 33 for ECDSA. */
  publicKey(scheme: SignatureScheme): string;
  /**
   * How an account names our key: `0x` + 64 hex digits. ECDSA keys have another name in accounts
   * of protocol 0.15; Falcon keys have one name.
   */
  commitment(scheme: SignatureScheme, protocol?: InspectedAccount['protocol']): string;
  /**
   * @param summaryCommitment `0x` + 64 hex digits: the word the cosigners sign too.
   * @returns hex without `0x`: 1524 bytes for Falcon, 65 for ECDSA.
   */
  sign(scheme: SignatureScheme, summaryCommitment: string): Promise<string>;
}

/** @param sign where signing happens: it takes milliseconds, so not on the event loop. */
export function ackSigner(keys: AckKeys, sign: AckSigner['sign']): AckSigner {
  const falconKey = decodeSecretKey(keys.falcon).publicKey;
  const falcon = wordToHex(publicKeyCommitment(falconKey));
  const ecdsaKey = ecdsaPublicKey(keys.ecdsa);
  const ecdsa = ecdsaCommitments(ecdsaKey);
  if (ecdsa === null) throw new Error('the ECDSA acknowledgement key has no public key');
  const [native, packed] = [wordToHex(ecdsa.native), wordToHex(ecdsa.packed)];
  const publicKeys: Record<SignatureScheme, string> = {
    falcon: `0x${bytesToHex(encodePublicKey(falconKey))}`,
    ecdsa: `0x${bytesToHex(ecdsaKey)}`,
  };
  return {
    publicKey: (scheme) => publicKeys[scheme],
    commitment: (scheme, protocol = '0.16') => {
      if (scheme === 'falcon') return falcon;
      return protocol === '0.15' ? packed : native;
    },
    sign,
  };
}
