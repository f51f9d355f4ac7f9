/**
 * Every bound of the system with its reason, one section a module.
 * A bound that an operator may want to change is a configuration variable instead.
 */
export { evmLimits, operatorLimits, sessionLimits } from './limits/realms.ts';

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

/** The finalization kernel. */
export const kernelLimits = {
  /** Wake-ups of one fetch, at most; what a killed worker has locked is free within seconds. */
  maxFetchedJobs: 2_000,
  /** A fetch is not made larger once its jobs take this long: a new wake-up waits behind them. */
  maxFetchedMs: 1_000,
  /** Wake-ups that were fetched and not begun go back after this long (the chain turned slow): other
   * workers may have room. The engine's default is five minutes. */
  fetchedMs: 5_000,
  /** Fetches whose answers a worker remembers: more than it makes while one of its jobs runs. */
  rememberedFetches: 20_000,
  /** Writes of one kind that share a transaction: its locks are held for a few milliseconds. */
  maxGroup: 50,
  /** Transactions of one kind on their way at a time: the next group gathers meanwhile. */
  groupsInFlight: 2,
  /** Submissions wait no longer for others on their way: as long as a near commit takes at most. */
  patienceMs: 4,
  /** Groups of submissions on their way at most; a small pool has fewer (group-submissions.ts). */
  submittingGroups: 6,
  /** A submission of more characters is committed by itself: a group stays near 3 MiB of text. */
  groupedSubmissionSize: 64 * 1024,
  /** Items of a refused group that are written at the same time, each by itself. */
  writtenAlone: 4,
  /** A worker's write waits no longer for a row: whoever holds an account for longer (a person with
   * an open transaction) must not hold up the accounts that share a group with it. Shorter than
   * deadlock_timeout (1 s): in a circle with a batch of completions we give way, because the engine
   * ends its pool over a completion that it could not write. */
  lockWaitMs: 700,
  /** Connections one worker uses at a time for its writes: claims, resolutions and snoozes, two
   * groups of each, a heartbeat and a sweep. Opened before its first job. */
  workerConnections: 8,
  /** A claim is free again after this time: longer than a drain's share plus the slowest look
   * outside (20 s), so a live holder is never overtaken. */
  claimSeconds: 30,
  /** Candidates of one line in one drain: other lines wait no longer than that. */
  maxDrainCandidates: 100,
  /** The same in time, milliseconds. */
  maxDrainMs: 200,
  /** A line that makes most of its process's decisions rests after each for as long as it took, at
   * most this long: the others find a processor. Little beside a look at a real chain. */
  giveWayMs: 5,
  /** Between two heartbeats: four fit into the time after which a worker counts as silent. */
  heartbeatMs: 500,
  /** A worker without a heartbeat for this long loses its lines: recovery within 5 s. Losing
   * them while it is only slow costs a repeated look outside, never a wrong write. */
  workerSilentSeconds: 2,
  /** Between the end of a worker and its next start: a database that restarts takes seconds. */
  workerRestartMs: 1_000,
  /** Longest wait for running jobs at a clean stop: they end their looks, and finish a write. */
  stopMs: 12_000,
  /** Longest wait for giving up claims at an end: others find them within seconds anyway. */
  retireMs: 2_000,
  /** Idle queue rows removed at a time: some milliseconds, and a look at all jobs. Twice as many are
   * worth a wait of submits: 50 ms at most, and for the statement. */
  idleQueuesAtOnce: 2_000,
  /** Such statements of one sweep: far more rows than go idle between two sweeps. */
  idleQueueRounds: 100,
  /** Of an error's text on a candidate: enough to tell failures apart. */
  maxErrorCharacters: 500,
  /** Between two sweeps for ready lines without a wake-up; the sweep should find none. */
  sweepMs: 5_000,
  /** A due head younger than this is not swept: its wake-up is about to be fetched. */
  sweepStaleSeconds: 4,
} as const;

/** Signed requests. */
export const authenticationLimits = {
  /** Protocol §2.7: a request is fresh within five minutes of the clock. */
  maxSkewMs: 300_000,
  /** Verifications of one request while the account's signer set changes under it. */
  maxVerifications: 3,
  /**
   * Hashing this many characters of a body takes a computation thread about 50 ms. A longer one is
   * hashed only for a request whose x-pubkey names a key that may sign.
   */
  hashedForAnybody: 262_144,
} as const;

/** Looks at the chain while a delta waits (protocol §4.4 and §4.6). */
export const canonicalizationLimits = {
  /** Not landed yet: first re-look after half a second, then growing to ten. */
  notLanded: { firstMs: 500, lastMs: 10_000, growth: 1.5 },
  /** The node failed: it says nothing about the delta, and hurrying does not help it. */
  chainUnavailable: { firstMs: 1_000, lastMs: 10_000, growth: 2 },
  /** Consecutive observations of a foreign commitment before giving up. */
  divergenceConfirmations: 2,
  /** Least time between two of them, as upstream's: one lag of a node must not count twice. */
  divergenceSeconds: 10,
  /** Time in which "not landed yet" costs nothing. */
  graceSeconds: 600,
  /** Looks after that time before giving up; with ten seconds between them, upstream's budget. */
  maxRetries: 48,
  /** A client that abandons a delta is believed after this time and so many looks. */
  abandonQuarantineSeconds: 15,
  abandonConfirmations: 2,
  /** Looks at a delta that was given up: at the interval for the first quarter of an hour, then
   * at doubling ones up to ten minutes. */
  reconcileEagerSeconds: 900,
  reconcileMaxSeconds: 600,
  /** A decision that fails for no reason of the protocol is a fault of ours or of the database:
   * retried for seven or eight minutes, then the line waits for a person. */
  retry: {
    maxFailures: 10,
    backoff: { firstMs: 500, lastMs: 120_000, growth: 2.5 },
    terminal: 'halt',
  },
} as const;

/** Connections, the embedded database, migrations (src/database). */
export const databaseLimits = {
  /** A reachable server answers in milliseconds; longer means it is down or a wrong address. */
  connectSeconds: 10,
  /** Between two attempts of one connection, at most: a database that is back is used at once. */
  backoffSeconds: 1,
  /** Hosted proxies cut connections at 10 minutes; ours end first, at rest. */
  idleSeconds: 300,
  lifetimeSeconds: 600,
  /** How long close() waits for queries under way before it cuts them off. */
  closeSeconds: 5,
  /** No query of a request or a job takes seconds; a stuck one must not hold its connection. */
  statementMs: 30_000,
  /** A statement without an answer this long after its time was up has lost its connection. */
  answerGraceMs: 5_000,
  /** The job engine's connections at rest are tried this often: a peer that is gone says nothing. */
  keepAliveMs: 5_000,
  /** A process without any answer, rows or error, for this long ends: longer than statementMs, so a
   * living server always answers first. */
  silentMs: 45_000,
  /** On the embedded database one open transaction holds everybody up. */
  idleInTransactionMs: 30_000,
  /** How long a second starter waits for the first one's migrations. */
  migrationLockMs: 60_000,
  /** A migration that waits for a table's lock makes every later query of the table wait too. */
  migrationTableLockMs: 10_000,
  /** Enough for the embedded working set; the default of 128 MB is resident in full. */
  embeddedBuffers: '16MB',
  /** Queries of the embedded database run on the event loop: after this long it gets a turn, which
   * keeps the loop free within about twice this time. Two or three queries fit. */
  embeddedTurnMs: 4,
  /** What a checkpoint leaves of the embedded write-ahead log. */
  embeddedWal: '64MB',
  /** A busy embedded database writes some 100 MB of log in this time; a checkpoint takes 16 ms. */
  checkpointMs: 30_000,
  /** Vacuum blocks the event loop for its duration, so it runs seldom. */
  vacuumMs: 600_000,
  /** Rounds of "another starter was faster" before a starter gives up on the directory. */
  directoryLockAttempts: 20,
  /** A live holder answers at once unless its event loop is busy. */
  directoryLockAnswerMs: 2_000,
} as const;

/** JSON that a signature covers (src/guardian/authentication/canonical-json.ts). */
export const jsonLimits = {
  /** serde_json's own limit: deeper bodies were never signed by a working client. */
  depth: 127,
  /** Far above any body limit an operator would set; keeps a mistake there from filling memory. */
  characters: 16_777_216,
} as const;

/** Miden accounts and transaction summaries (src/guardian/networks/miden). */
export const midenLimits = {
  /** 65 000 map entries: a multisig account after 65 000 transactions; a cold commitment of one
   * takes about 9 s of a worker thread. */
  stateBytes: 4_194_304,
  /** A summary comes in a request body, which is at most 1 MiB and base64. */
  summaryBytes: 786_432,
  /** Slot names whose ids are remembered; a multisig account has eight. */
  rememberedSlotNames: 1_024,
  /** Accounts one worker keeps parsed and hashed, so that a chain of deltas pays only for what
   * changed. */
  cachedAccounts: 512,
  /** Their size in all. A map entry counts as 2 KiB (its words, leaf and branch). */
  cachedBytes: 134_217_728,
} as const;

/** Acknowledgement keys (src/guardian/acknowledgement). */
export const acknowledgementLimits = {
  /** A Falcon key in hex has 2 562 characters; the rest is room for white space. */
  secretBytes: 4_096,
} as const;

/** Computation threads (src/guardian/networks/miden/compute). */
export const computeLimits = {
  /** One core is left to the event loop; beyond this many the database is the bottleneck. */
  threads: 8,
  /** A Falcon verification takes under 1 ms, so a full queue is about half a second of a thread. */
  queuedOperations: 512,
  /** A client gives up before this. It bounds the waiting and, once more, the running. */
  operationMs: 10_000,
  /** Stops an account that inflates before it takes the whole process along. */
  threadHeapMb: 512,
  /** Between attempts to start a thread that died before it was ready. */
  restartDelayMs: 250,
  /** After this many the engine has compiled what matters; about 100 ms. */
  warmUpRounds: 12,
  /** A thousand map entries: the cold commitment of such an account takes about 80 ms. More is done
   * on a thread of its own. */
  largeBytes: 65_536,
  /** A text of this length is hashed in about 50 ms. */
  largePayloadCharacters: 262_144,
  /** One operation takes seconds at most, and a client waits no longer than `operationMs`. */
  queuedLargeOperations: 16,
} as const;

/** When `canonry doctor` speaks up. */
export const doctorLimits = {
  /** Accounts active at once (idle queue rows are removed): well before the number from which their
   * queue names cost more than a tenth of the rate (docs/performance.md), which is 50 000 to 100 000. */
  queueRows: 40_000,
  /** A due line that nobody took for this long. */
  stuckSeconds: 30,
  /** Failed jobs that it names: `canonry failed` lists all. */
  namedJobs: 5,
  /** An open transaction this old keeps dead rows of the job table from being cleaned up. */
  oldTransactionSeconds: 300,
} as const;

/** The Guardian client API. */
export const guardianLimits = {
  /** Deltas that one GET /delta/since merges: a thousand summaries are read and written within
   * the time of one operation on a computation thread. */
  mergedDeltas: 1_000,
  /** Of their payloads as they are stored: sixteen of the largest, or a thousand of 16 KB. */
  mergedBytes: 16 * 1_048_576,
  /** Accounts whose signer set a process remembers: some hundred bytes each. */
  rememberedAccounts: 20_000,
  /** Serialized states a process remembers as bases of the next delta. */
  rememberedStateBytes: 64 * 1_048_576,
} as const;

/** Requests (src/http). */
export const httpLimits = {
  /** A mebibyte at 35 kB/s. The server of Deno has no limit of its own, that of Node five minutes. */
  bodyMs: 30_000,
} as const;

/** Rate limits (src/http/rate-limit). */
export const rateLimits = {
  /** Clients whose budgets a replica remembers at once: some 200 bytes each. */
  keys: 50_000,
} as const;

/** The processes of the fleet (src/coordination). */
export const coordinationLimits = {
  /** Between two announcements of one process. */
  announceMs: 30_000,
  /** A process that has not announced itself for this long is gone: three missed ones. */
  silentSeconds: 100,
  /** Longest wait for leaving the list at a stop: who does not answer is not waited for. */
  leaveMs: 2_000,
} as const;
