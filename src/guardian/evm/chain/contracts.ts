import type { AbiFunction } from 'viem';
// not 'viem', which brings along everything else
import { encodeFunctionData } from 'viem/utils';
import { evmLimits } from '../../../limits.ts';
import type { Hex } from '../values.ts';
import { readAddresses, readBool, readUint256 } from './answers.ts';
import { EvmChainError, type EvmChain, type Multisig } from './chain.ts';
import type { EvmNode } from './node.ts';

/** What is called; `answers.ts` reads what comes back. */
const view = (name: string, inputs: string[]): AbiFunction => ({
  type: 'function',
  name,
  stateMutability: 'view',
  inputs: inputs.map((type) => ({ type })),
  outputs: [],
});

/** ERC-7579: module type, module, context; a bool. */
const isModuleInstalled = view('isModuleInstalled', ['uint256', 'address', 'bytes']);
/** The multisig validator of OpenZeppelin's contracts: account, first, behind the last; `bytes[]`. */
const getSignerCount = view('getSignerCount', ['address']);
const getSigners = view('getSigners', ['address', 'uint64', 'uint64']);
const threshold = view('threshold', ['address']);
/** ERC-4337: sender, key. */
const getNonce = view('getNonce', ['address', 'uint192']);

const validatorModule = 1n;

/** Reads contracts through the nodes of one chain; the next node is asked when one is silent. */
export class ContractReader implements EvmChain {
  readonly #nodes: readonly EvmNode[];
  readonly #entryPoint: Hex;

  constructor(nodes: readonly EvmNode[], entryPoint: Hex) {
    this.#nodes = nodes;
    this.#entryPoint = entryPoint;
  }

  async readMultisig(account: Hex, validator: Hex): Promise<Multisig | undefined> {
    const module = [validatorModule, validator, '0x'];
    if (!(await this.#read(account, isModuleInstalled, module, readBool))) return undefined;
    const [count, needed] = await Promise.all([
      this.#read(validator, getSignerCount, [account], readUint256),
      this.#read(validator, threshold, [account], readUint256),
    ]);
    if (count < 1n || count > BigInt(evmLimits.signers)) {
      throw new EvmChainError('invalid', `the validator counts ${count} signers`);
    }
    if (needed < 1n || needed > count) {
      throw new EvmChainError('invalid', `the validator wants ${needed} of ${count} signers`);
    }
    const all = [account, 0n, count];
    const signers = await this.#read(validator, getSigners, all, (data) =>
      readAddresses(data, Number(count)),
    );
    if (new Set(signers).size !== signers.length) {
      throw new EvmChainError('invalid', 'the validator does not list distinct signers');
    }
    return { signers, threshold: Number(needed) };
  }

  async nextNonce(account: Hex, key: bigint): Promise<bigint> {
    const next = await this.#read(this.#entryPoint, getNonce, [account, key], readUint256);
    if (next >> 64n !== key) {
      throw new EvmChainError('invalid', 'the EntryPoint answered for another nonce key');
    }
    return next;
  }

  async #read<T>(
    to: Hex,
    called: AbiFunction,
    args: readonly unknown[],
    parse: (data: string) => T | undefined,
  ): Promise<T> {
    const answer = parse(await this.#ask(to, encodeFunctionData({ abi: [called], args })));
    if (answer !== undefined) return answer;
    throw new EvmChainError('invalid', `the answer of ${called.name} is not of its type`);
  }

  async #ask(to: Hex, data: Hex): Promise<string> {
    let failure = new EvmChainError('unavailable', 'the chain has no node');
    for (const node of this.#nodes) {
      try {
        return await node.call(to, data);
      } catch (error) {
        if (!(error instanceof EvmChainError) || error.kind === 'invalid') throw error;
        failure = error;
      }
    }
    throw failure;
  }
}
