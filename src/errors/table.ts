/**
 * The closed table of errors a client can see. Codes and statuses are the Guardian wire
 * contract (protocol dossier §1.3); `docs/errors.md` is generated from this file.
 */

export interface ErrorRow {
  /** Spelling on the wire when it differs from our name. */
  wire?: string;
  status: 400 | 401 | 403 | 404 | 409 | 429 | 500 | 502 | 503;
  retryable: boolean;
  /** Default text for the client: short, safe, without internals. */
  message: string;
  /** What an operator does about it. */
  operator: string;
}

export const errorRows = {
  account_not_found: {
    status: 404,
    retryable: false,
    message: 'This account is not configured here.',
    operator: 'The client must call POST /configure first.',
  },
  state_not_found: {
    status: 404,
    retryable: false,
    message: 'No state is stored for this account.',
    operator: 'The account row exists without a state: restore it or re-configure.',
  },
  delta_not_found: {
    status: 404,
    retryable: false,
    message: 'No delta with this nonce.',
    operator: 'None: the client asked for an unknown or expired nonce.',
  },
  account_data_unavailable: {
    status: 503,
    retryable: true,
    message: 'The account data is not available right now.',
    operator:
      'Check what is stored of the account; where it is encrypted, the log says what is wrong with it.',
  },
  data_unavailable: {
    status: 503,
    retryable: true,
    message: 'The service is overloaded or its database is not reachable. Try again.',
    operator: 'Check the database, then CPU and the number of API machines.',
  },
  rate_limit_exceeded: {
    status: 429,
    retryable: true,
    message: 'Too many requests. Try again later.',
    operator: 'See GUARDIAN_RATE_BURST_PER_SEC, GUARDIAN_RATE_PER_MIN and GUARDIAN_MAX_REPLICAS.',
  },
  conflict_pending_delta: {
    status: 409,
    retryable: false,
    message: 'Another delta of this account is still being finalized.',
    operator: 'Normal while a candidate waits for its transaction; it clears by itself.',
  },
  pending_proposals_limit: {
    status: 409,
    retryable: false,
    message: 'This account has as many pending proposals as it may have.',
    operator: 'See GUARDIAN_MAX_PENDING_PROPOSALS_PER_ACCOUNT; stale proposals do not count.',
  },
  proposal_already_signed: {
    status: 409,
    retryable: false,
    message: 'This signer has already signed the proposal.',
    operator: 'None.',
  },
  proposal_not_found: {
    status: 404,
    retryable: false,
    message: 'No pending proposal with this commitment.',
    operator: 'None: unknown, of another account, or no longer pending.',
  },
  candidate_landed: {
    wire: 'GUARDIAN_CANDIDATE_LANDED',
    status: 409,
    retryable: false,
    message: 'The transaction of this delta has landed on chain.',
    operator: 'None: the delta is or becomes canonical.',
  },
  account_paused: {
    wire: 'GUARDIAN_ACCOUNT_PAUSED',
    status: 409,
    retryable: false,
    message: 'This account is paused.',
    operator: 'An operator paused the account; unpause it when the reason is gone.',
  },
  account_released: {
    wire: 'GUARDIAN_ACCOUNT_RELEASED',
    status: 409,
    retryable: false,
    message: 'This account has moved to another guardian.',
    operator: 'None: the account comes back through POST /configure.',
  },
  authentication_failed: {
    status: 401,
    retryable: false,
    message: 'The request signature is missing or not valid for this account.',
    operator: 'Many of these from one client: compare its clock, key and signed payload.',
  },
  authentication_replay: {
    status: 401,
    retryable: true,
    message: 'A newer request of this signer was already accepted. Sign again and retry.',
    operator: 'Normal under concurrency; clients retry with a fresh timestamp.',
  },
  authorization_failed: {
    status: 403,
    retryable: false,
    message: 'The account is not bound to this guardian.',
    operator: 'The state names another guardian key: compare with GET /pubkey.',
  },
  signer_not_authorized: {
    status: 403,
    retryable: false,
    message: 'This address is not a signer here.',
    operator:
      'The chain, or the proposal, names other signers; compare with the validator contract.',
  },
  insufficient_operator_permission: {
    wire: 'GUARDIAN_INSUFFICIENT_OPERATOR_PERMISSION',
    status: 403,
    retryable: false,
    message: 'Your operator key does not have the permission for this.',
    operator: 'GUARDIAN_OPERATOR_PUBLIC_KEYS_FILE grants permissions; the audit table has the try.',
  },
  invalid_input: {
    status: 400,
    retryable: false,
    message: 'The request is not valid.',
    operator: 'None: the client sent something the contract does not allow.',
  },
  invalid_account_id: {
    status: 400,
    retryable: false,
    message: 'This is not a Miden account id.',
    operator: 'None.',
  },
  invalid_delta: {
    status: 400,
    retryable: false,
    message: 'The delta cannot be verified.',
    operator: 'The message says which part; assets and notes are refused until vectors exist.',
  },
  invalid_commitment: {
    status: 400,
    retryable: false,
    message: 'This is not a commitment.',
    operator: 'None.',
  },
  invalid_proposal_signature: {
    status: 400,
    retryable: false,
    message: 'The signature is not one of a cosigner over this proposal.',
    operator: 'None: the client signed something else, or with another key.',
  },
  invalid_cursor: {
    status: 400,
    retryable: false,
    message: 'The cursor is not valid here.',
    operator:
      'Frequent on several replicas: GUARDIAN_DASHBOARD_CURSOR_SECRET must be the same on all.',
  },
  invalid_status_filter: {
    status: 400,
    retryable: false,
    message: 'The status must be a list of candidate, canonical, retained and discarded.',
    operator: 'None.',
  },
  invalid_limit: {
    status: 400,
    retryable: false,
    message: 'The limit must be a whole number from 1 to 500.',
    operator: 'None.',
  },
  commitment_mismatch: {
    status: 400,
    retryable: false,
    message: 'The delta is not based on the current state of the account.',
    operator: 'The client must fetch GET /state and rebuild its transaction.',
  },
  unsupported_for_network: {
    status: 400,
    retryable: false,
    message: 'This account kind is not supported on this route.',
    operator: 'None.',
  },
  invalid_network_config: {
    status: 400,
    retryable: false,
    message: 'The network configuration is not valid.',
    operator: 'None.',
  },
  unsupported_evm_chain: {
    status: 400,
    retryable: false,
    message: 'This chain is not served here.',
    operator: 'GUARDIAN_EVM_RPC_URLS lists the chains.',
  },
  invalid_evm_proposal: {
    status: 400,
    retryable: false,
    message: 'The proposal is not valid.',
    operator: 'None: the message says which part.',
  },
  insufficient_signatures: {
    status: 400,
    retryable: false,
    message: 'The proposal has fewer signatures than its threshold.',
    operator: 'None: more signers have to approve.',
  },
  rpc_unavailable: {
    status: 502,
    retryable: true,
    message: 'The chain cannot be asked right now. Try again.',
    operator:
      'Check the node (GUARDIAN_MIDEN_RPC_ENDPOINT, GUARDIAN_EVM_RPC_URLS) and the log of this request.',
  },
  rpc_validation_failed: {
    status: 502,
    retryable: true,
    message: 'The chain gave an answer that cannot be used.',
    operator:
      'The contract is not a multisig validator, or the node lies or serves another chain: see the log of this request.',
  },
  signing_error: {
    status: 500,
    retryable: true,
    message: 'The acknowledgement could not be signed.',
    operator: 'Check the acknowledgement keys (GUARDIAN_ACK_*) and the log of this request.',
  },
  storage_error: {
    status: 500,
    retryable: true,
    message: 'The request could not be stored.',
    operator: 'See the log line of this request; nothing was acknowledged.',
  },
  configuration_error: {
    status: 500,
    retryable: false,
    message: 'The service is not configured for this request.',
    operator: 'Check GUARDIAN_OPERATOR_PUBLIC_KEYS_FILE; the log says what is wrong with it.',
  },
} as const satisfies Record<string, ErrorRow>;
