import { guardianLimits } from '../../limits.ts';
import type { StoredAuth } from '../authentication/signed-request.ts';

/**
 * What this process remembers of accounts, to spare round trips. It never decides: the statement
 * that does the work compares the version of the signer set and the base commitment, and answers
 * `stale_auth` when the memory is old.
 */
export class RememberedAccounts {
  readonly #auth = new Map<string, StoredAuth>();
  readonly #states = new Map<string, Uint8Array>();
  #stateBytes = 0;

  /** Signer set and version as last seen. */
  auth(accountId: string): StoredAuth | undefined {
    const auth = this.#auth.get(accountId);
    if (auth) this.rememberAuth(accountId, auth);
    return auth;
  }

  rememberAuth(accountId: string, auth: StoredAuth): void {
    this.#auth.delete(accountId);
    this.#auth.set(accountId, auth);
    if (this.#auth.size > guardianLimits.rememberedAccounts) dropOldest(this.#auth);
  }

  forgetAuth(accountId: string): void {
    this.#auth.delete(accountId);
  }

  /** Serialized state with exactly this commitment: immutable, so it cannot be stale. */
  state(accountId: string, commitment: string): Uint8Array | undefined {
    return this.#states.get(`${accountId}:${commitment}`);
  }

  rememberState(accountId: string, commitment: string, state: Uint8Array): void {
    const key = `${accountId}:${commitment}`;
    if (this.#states.has(key)) return;
    this.#states.set(key, state);
    this.#stateBytes += state.byteLength;
    while (this.#stateBytes > guardianLimits.rememberedStateBytes) {
      this.#stateBytes -= dropOldest(this.#states)?.byteLength ?? this.#stateBytes;
    }
  }
}

/** A Map iterates in the order of insertion. */
function dropOldest<V>(map: Map<string, V>): V | undefined {
  const [oldest] = map;
  if (oldest) map.delete(oldest[0]);
  return oldest?.[1];
}
