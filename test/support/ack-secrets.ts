/** Acknowledgement keys of a deployment that exists in tests only. */
import { falcon512 } from '@noble/post-quantum/falcon.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export const ackSecrets = {
  falcon: bytesToHex(falcon512.keygen(new Uint8Array(48).fill(3)).secretKey),
  ecdsa: '0c'.repeat(32),
} as const;
