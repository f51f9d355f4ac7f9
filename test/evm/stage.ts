/** A chain with the contracts that Guardian reads, and wallets that sign for accounts on it. */
import { GuardianEvmClient, type Eip1193Provider } from '@openzeppelin/guardian-evm-client';
import { createTestClient, http, publicActions, walletActions, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import { startAnvil } from './anvil.ts';
import { compileContracts, type ContractName } from './contracts.ts';

export interface EvmStage {
  url: string;
  chainId: number;
  entryPoint: Hex;
  /** The variables of an API that serves this chain. */
  environment: Record<string, string>;
  /** A smart account with the validator installed. */
  createAccount(signers: readonly Hex[], threshold: number): Promise<SmartAccount>;
  /** What deploying an account would give, without the validator module. */
  deploy(name: ContractName): Promise<Hex>;
  stop(): Promise<void>;
}

export interface SmartAccount {
  chainId: number;
  address: Hex;
  validator: Hex;
  accountId: string;
  setSigners(signers: readonly Hex[], threshold: number): Promise<void>;
  /** Makes the validator count wrongly. */
  claimCount(count: number): Promise<void>;
  uninstall(): Promise<void>;
  /** As executing the next user operation of a nonce sequence does. */
  useNonce(key: bigint): Promise<void>;
}

export async function openStage(chainId?: number): Promise<EvmStage> {
  const contracts = compileContracts();
  const anvil = await startAnvil(chainId);
  const client = createTestClient({ mode: 'anvil', transport: http(anvil.url), cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions);
  const [account] = await client.getAddresses();
  if (!account) throw new Error('anvil has no account');
  const mined = async (hash: Hex) => client.waitForTransactionReceipt({ hash, pollingInterval: 5 });
  const deploy = async (name: ContractName) => {
    const hash = await client.deployContract({ ...contracts[name], account, chain: null });
    const { contractAddress } = await mined(hash);
    if (!contractAddress) throw new Error(`${name} was not deployed`);
    return contractAddress.toLowerCase() as Hex;
  };
  const send = async (
    name: ContractName,
    to: Hex,
    functionName: string,
    args: readonly unknown[],
  ) => {
    const { abi } = contracts[name];
    const call = { account, chain: null, address: to, abi, functionName, args };
    await mined(await client.writeContract(call));
  };
  const entryPoint = await deploy('EntryPoint');
  const validator = await deploy('MultisigValidator');
  return {
    url: anvil.url,
    chainId: anvil.chainId,
    entryPoint,
    environment: {
      GUARDIAN_EVM_RPC_URLS: `${anvil.chainId}=${anvil.url}`,
      GUARDIAN_EVM_ENTRYPOINT_ADDRESS: entryPoint,
    },
    async createAccount(signers, threshold) {
      const address = await deploy('Account');
      await send('Account', address, 'install', [1n, validator]);
      const smart: SmartAccount = {
        chainId: anvil.chainId,
        address,
        validator,
        accountId: `evm:${anvil.chainId}:${address}`,
        setSigners: (list, needed) =>
          send('MultisigValidator', validator, 'setSigners', [address, list, BigInt(needed)]),
        claimCount: (count) =>
          send('MultisigValidator', validator, 'claimCount', [address, BigInt(count)]),
        uninstall: () => send('Account', address, 'uninstall', [1n, validator]),
        useNonce: (key) => send('EntryPoint', entryPoint, 'useNonce', [address, key]),
      };
      await smart.setSigners(signers, threshold);
      return smart;
    },
    deploy,
    stop: () => anvil.stop(),
  };
}

/** A signer with the published client, driving it as an application would. */
export interface EvmWallet {
  address: Hex;
  key: PrivateKeyAccount;
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
  return { address, key, provider, client: new GuardianEvmClient({ guardianUrl, provider }), sign };
}
