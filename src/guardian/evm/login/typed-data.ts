import { recoverTypedDataAddress } from 'viem/utils';
import type { Hex } from '../values.ts';

/** A login challenge as a wallet signs it; times in Unix seconds. */
export interface SessionMessage {
  wallet: Hex;
  nonce: Hex;
  issued_at: number;
  expires_at: number;
}

/** EIP-712 document of a login; clients rebuild it, so it must match exactly (protocol §2.8). */
export function sessionTypedData(message: SessionMessage) {
  return {
    domain: { name: 'Guardian EVM Session', version: '1' },
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
      ],
      GuardianEvmSession: [
        { name: 'wallet', type: 'address' },
        { name: 'nonce', type: 'bytes32' },
        { name: 'issued_at', type: 'uint64' },
        { name: 'expires_at', type: 'uint64' },
      ],
    },
    primaryType: 'GuardianEvmSession',
    message,
  } as const;
}

/** Who signed a login, or undefined when nobody can have. */
export async function recoverLogin(message: SessionMessage, signature: Hex) {
  const { domain, types, primaryType } = sessionTypedData(message);
  const { issued_at, expires_at, ...rest } = message;
  try {
    const signer = await recoverTypedDataAddress({
      domain,
      types,
      primaryType,
      message: { ...rest, issued_at: BigInt(issued_at), expires_at: BigInt(expires_at) },
      signature,
    });
    return signer.toLowerCase() as Hex;
  } catch {
    return undefined;
  }
}
