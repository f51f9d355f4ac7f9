/**
 * Whose signature an acknowledgement is (protocol dossier §6): the account's on-chain guardian
 * check accepts it. One Falcon and one ECDSA key a deployment, the same on
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

export interface AckIdentity {
  /** `0x` + hex: 897 bytes for Falcon, 33 for ECDSA. */
  publicKey(scheme: SignatureScheme): string;
  /**
   * How an account names our key: `0x` + 64 hex digits. ECDSA keys have another name in accounts
   * of protocol 0.15; Falcon keys have one name.
   */
  commitment(scheme: SignatureScheme, protocol?: InspectedAccount['protocol']): string;
}

/** What the keys look like from outside; signing happens on the computation threads. */
export function ackIdentity(keys: AckKeys): AckIdentity {
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
  };
}
