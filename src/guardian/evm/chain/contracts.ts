import * as v from 'valibot';
import { decodeFunctionResult, encodeFunctionData, parseAbi, type Abi } from 'viem';
import { evmLimits } from '../../../limits.ts';
import { address, type Hex } from '../values.ts';
import { EvmChainError, type EvmChain, type Multisig } from './chain.ts';
import type { EvmNode } from './node.ts';

/** ERC-7579, the multisig validator of OpenZeppelin's contracts, ERC-4337. */
const accountAbi = parseAbi([
  'function isModuleInstalled(uint256 moduleTypeId, address module, bytes additionalContext) view returns (bool)',
]);
const validatorAbi = parseAbi([
  'function getSignerCount(address account) view returns (uint256)',
  'function getSigners(address account, uint64 start, uint64 end) view returns (bytes[])',
  'function threshold(address account) view returns (uint64)',
]);
const entryPointAbi = parseAbi([
  'function getNonce(address sender, uint192 key) view returns (uint256)',
]);

const validatorModule = 1n;

interface Call {
  abi: Abi;
  functionName: string;
  args: readonly unknown[];
}

/** Reads contracts through the nodes of one chain; the next node is asked when one is silent. */
export class ContractReader implements EvmChain {
  readonly #nodes: readonly EvmNode[];
  readonly #entryPoint: Hex;

  constructor(nodes: readonly EvmNode[], entryPoint: Hex) {
    this.#nodes = nodes;
    this.#entryPoint = entryPoint;
  }

  async readMultisig(account: Hex, validator: Hex): Promise<Multisig | undefined> {
    const ofValidator = (functionName: string, ...more: bigint[]): Call => ({
      abi: validatorAbi,
      functionName,
      args: [account, ...more],
    });
    const module = {
      abi: accountAbi,
      functionName: 'isModuleInstalled',
      args: [validatorModule, validator, '0x'],
    };
    if (!(await this.#read(account, module, v.boolean()))) return undefined;
    const [count, threshold] = await Promise.all([
      this.#read(validator, ofValidator('getSignerCount'), v.bigint()),
      this.#read(validator, ofValidator('threshold'), v.bigint()),
    ]);
    if (count < 1n || count > BigInt(evmLimits.signers)) {
      throw new EvmChainError('invalid', `the validator counts ${count} signers`);
    }
    if (threshold < 1n || threshold > count) {
      throw new EvmChainError('invalid', `the validator wants ${threshold} of ${count} signers`);
    }
    const signers = await this.#read(
      validator,
      ofValidator('getSigners', 0n, count),
      v.array(address),
    );
    if (BigInt(signers.length) !== count || new Set(signers).size !== signers.length) {
      throw new EvmChainError('invalid', 'the validator does not list distinct signers');
    }
    return { signers, threshold: Number(threshold) };
  }

  async nextNonce(account: Hex, key: bigint): Promise<bigint> {
    const call = { abi: entryPointAbi, functionName: 'getNonce', args: [account, key] };
    const next = await this.#read(this.#entryPoint, call, v.bigint());
    if (next >> 64n !== key) {
      throw new EvmChainError('invalid', 'the EntryPoint answered for another nonce key');
    }
    return next;
  }

  async #read<T>(to: Hex, call: Call, answer: v.GenericSchema<unknown, T>): Promise<T> {
    const data = await this.#ask(to, encodeFunctionData(call));
    const parsed = v.safeParse(answer, decode(call, data));
    if (parsed.success) return parsed.output;
    throw new EvmChainError('invalid', `the answer of ${call.functionName} is not of its type`);
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
function decode(call: Call, data: Hex): unknown {
  try {
    return decodeFunctionResult({ ...call, data });
  } catch {
    return undefined;
  }
}
