import type { Hex } from '../values.ts';

/** Who may approve user operations of an account, and how many of them must. */
export interface Multisig {
  /** Distinct addresses in the contract's order, at least one. */
  signers: Hex[];
  /** 1 to the number of signers. */
  threshold: number;
}

/** What Guardian asks an EVM chain. Answers are checked: they have the form they promise. */
export interface EvmChain {
  /**
   * The signers of an ERC-7579 account, or undefined when the module is not installed on it as a
   * validator.
   * @throws EvmChainError
   */
  readMultisig(account: Hex, validator: Hex): Promise<Multisig | undefined>;
  /**
   * The lowest nonce of a sequence that the EntryPoint still accepts.
   * @param key upper 192 bits of a nonce.
   * @throws EvmChainError
   */
  nextNonce(account: Hex, key: bigint): Promise<bigint>;
}

/**
 * A chain could not be read. `unavailable`: no node answered. `invalid`: a node or contract gave an
 * answer that cannot be. The message goes to the log and names no URL: URLs hold keys.
 */
export class EvmChainError extends Error {
  override name = 'EvmChainError';
  readonly kind: 'unavailable' | 'invalid';

  constructor(kind: 'unavailable' | 'invalid', message: string) {
    super(message);
    this.kind = kind;
  }
}
