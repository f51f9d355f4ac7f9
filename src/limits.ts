/**
 * Every bound of the system with its reason, one section a module.
 * A bound that an operator may want to change is a configuration variable instead.
 */

/** Reads of a Miden node (src/guardian/networks/miden/rpc). */
export const midenRpcLimits = {
  /** A GetAccount answer is a witness of at most 64 siblings, about 3 KB; the rest is attack. */
  responseBytes: 65_536,
  /** Between two attempts of one read: long enough for a restarted proxy, short in a 10 s budget. */
  retryDelayMs: 100,
} as const;

/** The development chain (src/dev-chain). */
export const devChainLimits = {
  /** Both request bodies are under 200 bytes. */
  requestBytes: 4_096,
  /** Keeps the state file, rewritten as a whole, under 15 MB. */
  accounts: 100_000,
} as const;
