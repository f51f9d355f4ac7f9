/** Bounds of what has a login of its own: operators, and the wallets of EVM accounts. */

/** Login challenges and sessions (src/guardian/sessions). */
export const sessionLimits = {
  /** Protocol §2.8: time to sign a challenge. */
  challengeSeconds: 300,
  /** Protocol §5.1: a principal's ninth live challenge pushes out its oldest. */
  liveChallenges: 8,
  /** Protocol §1.7: eight hours. */
  sessionSeconds: 28_800,
  /** Protocol §5.1: every replica sweeps once a minute. */
  sweepMs: 60_000,
  /** Rows removed by one statement: some milliseconds. */
  sweepRows: 1_000,
} as const;

/** EVM accounts (src/guardian/evm). */
export const evmLimits = {
  /** One JSON-RPC call to one node; a request makes at most four in a row. */
  rpcMs: 5_000,
  /** The longest answer is a list of 1024 signers: 96 bytes each, in hex, and the envelope. */
  rpcResponseBytes: 262_144,
  /** Protocol §1.10. */
  signers: 1_024,
  /** Nonce keys that one listing asks the EntryPoint about at the same time. */
  nonceLookups: 4,
  /** No look-up begins later than this after the first one: a client waits no longer. */
  nonceLookupsMs: 10_000,
  /** Proposals of an account that stay after their nonce was seen used: some hours' worth. A listing
   * asks about them again, beside the active ones, of which there are twenty by default. */
  usedProposals: 20,
  /** Not after a day: no chain is reorganized that deep, and a node that lies was noticed. */
  usedSeconds: 86_400,
  /** Characters of a user operation; a listing holds twenty by default, and what came back. */
  payloadCharacters: 262_144,
  /** A year: a proposal that waits longer is a mistake in the unit. */
  proposalSeconds: 31_536_000,
} as const;

/** Operators (src/guardian/operators). */
export const operatorLimits = {
  /** A Falcon key in hex has 1 794 characters: some five hundred operators. */
  allowlistBytes: 1_048_576,
  /** Protocol §1.5: bodies of pause and unpause. */
  requestBytes: 16_384,
  /** Protocol §1.5: a reason, in characters. */
  reasonCharacters: 512,
  /** Earliest refusal of a login: several times what the eight checks of an operator's take. */
  refusalMs: 100,
  /** A login holds one Falcon signature of 1 524 bytes in hex. */
  loginBytes: 16_384,
  /** Canonical deltas that one statement counts: some 100 ms by index. */
  countedAtOnce: 500_000,
  /** Of a document in a list of up to 500: 4 MB a page. An ordinary summary has a few hundred. */
  listedDocumentBytes: 8_192,
  /** How long the counts of the dashboard are remembered. */
  infoMs: 5_000,
} as const;
