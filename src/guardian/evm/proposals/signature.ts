import { recoverAddress } from 'viem/utils';
import type { Hex } from '../values.ts';

/** Half the order of secp256k1: contracts take only the smaller of the two possible s. */
const largestS = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * Whether this address signed the hash as it is, without a prefix: what the published client's
 * `eth_sign` gives, and what the account's validator verifies (protocol §1.10, E5).
 */
export async function signedBy(signer: Hex, hash: Hex, signature: Hex): Promise<boolean> {
  if (BigInt(`0x${signature.slice(66, 130)}`) > largestS) return false;
  try {
    return (await recoverAddress({ hash, signature })).toLowerCase() === signer;
  } catch {
    return false;
  }
}
