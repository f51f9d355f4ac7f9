/** A chain with the contracts that Guardian reads. */
import { createTestClient, http, publicActions, walletActions, type Hex } from 'viem';
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
  /** The chain as it is; revert() brings it back, as a reorganization does. */
  snapshot(): Promise<Hex>;
  revert(snapshot: Hex): Promise<void>;
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
  /** Installs another validator, with signers of its own; its address. */
  addValidator(signers: readonly Hex[], threshold: number): Promise<Hex>;
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
        async addValidator(list, needed) {
          const another = await deploy('MultisigValidator');
          await send('Account', address, 'install', [1n, another]);
          await send('MultisigValidator', another, 'setSigners', [address, list, BigInt(needed)]);
          return another;
        },
        useNonce: (key) => send('EntryPoint', entryPoint, 'useNonce', [address, key]),
      };
      await smart.setSigners(signers, threshold);
      return smart;
    },
    snapshot: () => client.snapshot(),
    revert: (id) => client.revert({ id }),
    stop: () => anvil.stop(),
  };
}
