/** Miden as Guardian sees it: computation here or on threads, and one node. */
import type { AppliedDelta, InspectedAccount, Network } from '../network.ts';
import type { AccountOrigin } from './codec/account.ts';
import type { Compute, DeltaInput } from './compute/compute.ts';
import type { MidenNode } from './rpc/node.ts';

export class MidenNetwork implements Network {
  readonly #compute: Compute;
  readonly #node: MidenNode;
  readonly #origin: AccountOrigin;

  /** @param origin `any` on a local chain, whose accounts may be made by hand. */
  constructor(compute: Compute, node: MidenNode, origin: AccountOrigin) {
    this.#origin = origin;
    this.#compute = compute;
    this.#node = node;
  }

  /** @throws UnverifiableError, ComputeOverloadError, ComputeFailedError */
  async inspectAccount(state: Uint8Array): Promise<InspectedAccount> {
    return this.#compute.run('inspectAccount', { state, origin: this.#origin });
  }

  /** @throws UnverifiableError, ComputeOverloadError, ComputeFailedError */
  async applyDelta(input: DeltaInput): Promise<AppliedDelta> {
    return this.#compute.run('applyDelta', input);
  }

  /** @throws ChainError */
  async commitmentOnChain(accountId: string): Promise<string | null> {
    return this.#node.accountCommitment(accountId);
  }
}
