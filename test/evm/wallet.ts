import { GuardianEvmClient, type Eip1193Provider } from '@openzeppelin/guardian-evm-client';
import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

/** A signer with the published client, driving it as an application would. */
export interface EvmWallet {
  address: Hex;
  provider: Eip1193Provider;
  client: GuardianEvmClient;
  /** The raw signature over a hash, as `eth_sign` gives it. */
  sign(hash: Hex): Promise<Hex>;
}

export function openEvmWallet(guardianUrl: string): EvmWallet {
  const key = privateKeyToAccount(generatePrivateKey());
  const address = key.address.toLowerCase() as Hex;
  const sign = (hash: Hex) => key.sign({ hash });
  const provider: Eip1193Provider = {
    async request({ method, params = [] }) {
      if (method === 'eth_requestAccounts') return [address];
      if (method === 'eth_sign') return sign(params[1] as Hex);
      if (method !== 'eth_signTypedData_v4') throw new Error(`no ${method} here`);
      return key.signTypedData(JSON.parse(String(params[1])) as never);
    },
  };
  return { address, provider, client: new GuardianEvmClient({ guardianUrl, provider }), sign };
}
