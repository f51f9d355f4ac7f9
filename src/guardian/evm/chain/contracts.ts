import * as v from 'valibot';
import type { AbiFunction } from 'viem';
// not 'viem', which brings along everything else
import { decodeFunctionResult, encodeFunctionData } from 'viem/utils';
import { evmLimits } from '../../../limits.ts';
import { address, type Hex } from '../values.ts';
import { EvmChainError, type EvmChain, type Multisig } from './chain.ts';
import type { EvmNode } from './node.ts';

const view = (name: string, inputs: string[], output: string): AbiFunction => ({
  type: 'function',
  name,
  stateMutability: 'view',
  inputs: inputs.map((type) => ({ type })),
  outputs: [{ type: output }],
});

/** ERC-7579: module type, module, context. */
const isModuleInstalled = view('isModuleInstalled', ['uint256', 'address', 'bytes'], 'bool');
/** The multisig validator of OpenZeppelin's contracts: account, first, behind the last. */
const getSignerCount = view('getSignerCount', ['address'], 'uint256');
const getSigners = view('getSigners', ['address', 'uint64', 'uint64'], 'bytes[]');
const threshold = view('threshold', ['address'], 'uint64');
/** ERC-4337: sender, key. */
const getNonce = view('getNonce', ['address', 'uint192'], 'uint256');

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
    if (!(await this.#read(account, isModuleInstalled, module, v.boolean()))) return undefined;
    const [count, needed] = await Promise.all([
      this.#read(validator, getSignerCount, [account], v.bigint()),
      this.#read(validator, threshold, [account], v.bigint()),
    ]);
    if (count < 1n || count > BigInt(evmLimits.signers)) {
      throw new EvmChainError('invalid', `the validator counts ${count} signers`);
    }
    if (needed < 1n || needed > count) {
      throw new EvmChainError('invalid', `the validator wants ${needed} of ${count} signers`);
    }
    const all = [account, 0n, count];
    const signers = await this.#read(validator, getSigners, all, v.array(address));
    if (BigInt(signers.length) !== count || new Set(signers).size !== signers.length) {
      throw new EvmChainError('invalid', 'the validator does not list distinct signers');
    }
    return { signers, threshold: Number(needed) };
  }

  async nextNonce(account: Hex, key: bigint): Promise<bigint> {
    const next = await this.#read(this.#entryPoint, getNonce, [account, key], v.bigint());
    if (next >> 64n !== key) {
      throw new EvmChainError('invalid', 'the EntryPoint answered for another nonce key');
    }
    return next;
  }

  async #read<T>(
    to: Hex,
    called: AbiFunction,
    args: readonly unknown[],
    answer: v.GenericSchema<unknown, T>,
  ): Promise<T> {
    const data = await this.#ask(to, encodeFunctionData({ abi: [called], args }));
    const parsed = v.safeParse(answer, decode(called, data));
    if (parsed.success) return parsed.output;
    throw new EvmChainError('invalid', `the answer of ${called.name} is not of its type`);
  }

  async #ask(to: Hex, data: Hex): Promise<Hex> {
    let failure = new EvmChainError('unavailable', 'the chain has no node');
    for (const node of this.#nodes) {
      try {
        return (await node.call(to, data)) as Hex;
      } catch (error) {
        if (!(error instanceof EvmChainError) || error.kind === 'invalid') throw error;
        failure = error;
      }
    }
    throw failure;
  }
}

/** @returns undefined when the bytes are not what the function returns. */
function decode(called: AbiFunction, data: Hex): unknown {
  try {
    return decodeFunctionResult({ abi: [called], data });
  } catch {
    return undefined;
  }
}
