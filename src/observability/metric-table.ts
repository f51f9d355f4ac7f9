/**
 * Every metric, with its label keys and what their values may be. This table is the only place a
 * label comes from: a value outside it is written as `other`, so that nothing a client sends can
 * become a label. Names follow Guardian's own where the meaning is the same (dossier §7).
 */

/** The label keys there are; account ids, keys and paths have none. */
type LabelKey =
  | 'method'
  | 'route'
  | 'status'
  | 'operation'
  | 'outcome'
  | 'kind'
  | 'event'
  | 'limit_type'
  | 'transport'
  | 'pool'
  | 'version'
  | 'git_commit';

/** Either the values there are, or what a value of our own making looks like. */
type LabelRule = readonly string[] | RegExp;

interface Definition {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: Readonly<Partial<Record<LabelKey, LabelRule>>>;
  /** Upper bounds of a histogram's buckets. */
  buckets?: readonly number[];
}

const methods = /^(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH)$/;
/** The pattern of a route of ours, such as `/dashboard/accounts/:account_id`, or `unknown`. */
const route = /^(?:unknown|\/[a-z0-9_:/.-]{0,80})$/i;
const httpStatus = /^[1-5]\d\d$/;
const midenOperations = ['get_account'] as const;
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const successOrDenied = ['success', 'denied'] as const;
const pools = ['jobs'] as const;

/** What one look at a candidate, or a resolution, came to. */
const candidateOutcomes = [
  'canonicalized',
  'retried',
  'grace_deferred',
  'divergence_deferred',
  'chain_unavailable',
  'retained',
  'diverged',
  'abandoned',
  'discarded',
  'stale_base',
  'fenced',
  'reconciled',
  'reconcile_deferred',
] as const;

export const metricTable = {
  guardian_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: { version: /^[\w.+-]{1,40}$/, git_commit: /^[\w.-]{1,64}$/ },
  },
  guardian_http_requests_total: {
    type: 'counter',
    help: 'Finished requests.',
    labels: { method: methods, route, status: httpStatus },
  },
  guardian_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from a request to its answer.',
    labels: { method: methods, route },
    buckets: seconds,
  },
  guardian_http_requests_in_flight: {
    type: 'gauge',
    help: 'Requests that are being answered.',
    labels: {},
  },
  guardian_rate_limit_rejections_total: {
    type: 'counter',
    help: 'Requests refused because a client, or whoever logs in as somebody, asked for too many.',
    labels: { limit_type: ['burst', 'sustained', 'login'], transport: ['http'] },
  },
  guardian_miden_rpc_requests_total: {
    type: 'counter',
    help: 'Looks at the Miden node, each with its retries.',
    labels: { operation: midenOperations, outcome: ['success', 'error'] },
  },
  guardian_miden_rpc_duration_seconds: {
    type: 'histogram',
    help: 'Time of a look at the Miden node, retries included.',
    labels: { operation: midenOperations },
    buckets: seconds,
  },
  guardian_miden_rpc_retries_total: {
    type: 'counter',
    help: 'Further attempts within a look at the Miden node.',
    labels: { operation: midenOperations },
  },
  guardian_db_pool_connections: {
    type: 'gauge',
    help: 'Open connections of a pool.',
    labels: { pool: pools },
  },
  guardian_db_pool_max: {
    type: 'gauge',
    help: 'Connections a pool may open.',
    labels: { pool: pools },
  },
  guardian_db_pool_available: {
    type: 'gauge',
    help: 'Open connections of a pool that are at rest.',
    labels: { pool: pools },
  },
  guardian_db_pool_pending_acquires: {
    type: 'gauge',
    help: 'Callers that wait for a connection of a pool.',
    labels: { pool: pools },
  },
  guardian_canonicalization_candidates_total: {
    type: 'counter',
    help: 'What looks at candidates, and at deltas that were given up, came to.',
    labels: { outcome: candidateOutcomes },
  },
  guardian_canonicalization_candidate_age_seconds: {
    type: 'histogram',
    help: 'Age of the head of a line when it became canonical.',
    labels: {},
    buckets: [1, 2, 5, 10, 30, 60, 300, 900, 3_600],
  },
  guardian_deltas_submitted_total: {
    type: 'counter',
    help: 'Deltas that became candidates.',
    labels: { kind: ['direct', 'proposal_commit'] },
  },
  guardian_proposals_total: {
    type: 'counter',
    help: 'Proposals stored, and signatures added to them.',
    labels: { event: ['created', 'signed'] },
  },
  guardian_accounts_created_total: {
    type: 'counter',
    help: 'Accounts configured or registered here for the first time.',
    labels: { kind: ['miden', 'evm'] },
  },
  guardian_operator_auth_challenges_total: {
    type: 'counter',
    help: 'Login challenges asked for; denied: the key is no operator’s.',
    labels: { outcome: successOrDenied },
  },
  guardian_operator_auth_verifications_total: {
    type: 'counter',
    help: 'Answers to login challenges.',
    labels: { outcome: successOrDenied },
  },
  guardian_operator_sessions_started_total: {
    type: 'counter',
    help: 'Sessions of operators.',
    labels: {},
  },
  guardian_accounts: {
    type: 'gauge',
    help: 'Accounts, from the last count in the background.',
    labels: { kind: ['miden', 'evm'] },
  },
  guardian_deltas: {
    type: 'gauge',
    help: 'Deltas, from the last count in the background.',
    labels: { status: ['candidate', 'canonical', 'retained', 'discarded'] },
  },
  guardian_proposals_in_flight: {
    type: 'gauge',
    help: 'Pending proposals, from the last count in the background.',
    labels: {},
  },
  guardian_metrics_refresh_timestamp_seconds: {
    type: 'gauge',
    help: 'When the counts were last taken (Unix time).',
    labels: {},
  },
  guardian_metrics_refresh_failures_total: {
    type: 'counter',
    help: 'Counts in the background that failed.',
    labels: {},
  },
  canonry_lines_woken_by_sweep_total: {
    type: 'counter',
    help: 'Lines the sweep found without a wake-up. It should be zero: each one is a lost job.',
    labels: {},
  },
  canonry_workers_retired_total: {
    type: 'counter',
    help: 'Workers that went silent and whose lines this process has freed.',
    labels: {},
  },
  canonry_decisions_failed_total: {
    type: 'counter',
    help: 'Decisions that ended in an error no rule explains.',
    labels: {},
  },
  canonry_group_size: {
    type: 'histogram',
    help: 'Writes that shared one transaction.',
    labels: { operation: ['claim', 'promote', 'snooze', 'submit'] },
    buckets: [1, 2, 4, 8, 16, 32, 64],
  },
} as const satisfies Record<string, Definition>;

/** What Node says of itself, as far as its label keys are bounded; Deno says nothing. */
export const nodeMetrics: readonly string[] = [
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_gc_duration_seconds',
];
