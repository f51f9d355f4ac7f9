/** Bodies and answers of the operators' API as the document tells of them (protocol §1.5). */
import * as v from 'valibot';
import { commitmentText } from '../accounts/wire.ts';
import { storedNonce, timeText } from '../wire-values.ts';

const text = v.string();
const count = v.pipe(v.number(), v.safeInteger());
const exactCount = v.bigint();
const accountState = v.picklist(['active', 'paused']);
const deltaStatus = v.picklist(['candidate', 'canonical', 'retained', 'discarded']);

export const challengeAnswer = v.object({
  success: v.literal(true),
  challenge: v.object({
    domain: v.literal('*'),
    commitment: commitmentText,
    nonce: text,
    expires_at: timeText,
    signing_digest: commitmentText,
  }),
});
export const loginAnswer = v.object({
  success: v.literal(true),
  operator_id: commitmentText,
  expires_at: timeText,
});
export const logoutAnswer = v.object({ success: v.literal(true) });
export const sessionAnswer = v.object({ operator_id: commitmentText, permissions: v.array(text) });

const account = {
  account_id: text,
  auth_scheme: text,
  authorized_signer_count: count,
  has_pending_candidate: v.boolean(),
  current_commitment: v.nullable(text),
  state_status: v.picklist(['available', 'unavailable']),
  created_at: timeText,
  updated_at: timeText,
  paused_at: v.nullable(timeText),
  paused_reason: v.nullable(text),
  released_at: v.nullable(timeText),
};
const page = <Item extends v.GenericSchema>(item: Item) =>
  v.object({ items: v.array(item), next_cursor: v.nullable(text) });

export const accountsAnswer = page(v.object(account));
export const accountAnswer = v.object({
  ...account,
  authorized_signer_ids: v.array(text),
  state_created_at: v.nullable(timeText),
  state_updated_at: v.nullable(timeText),
});
export const snapshotAnswer = v.object({
  commitment: text,
  updated_at: timeText,
  has_pending_candidate: v.boolean(),
  vault: v.object({
    fungible: v.array(v.object({ faucet_id: text, amount: text })),
    non_fungible: v.array(v.object({ faucet_id: text, vault_key: text })),
  }),
});

const delta = {
  nonce: storedNonce,
  status: deltaStatus,
  status_timestamp: timeText,
  prev_commitment: text,
  new_commitment: v.nullable(text),
  retry_count: v.optional(exactCount),
  status_reason: v.optional(text),
  category: v.optional(v.picklist(['guardian_switch', 'account_storage_change', 'custom'])),
};
const listedDelta = { ...delta, proposal_type: v.optional(text) };
export const deltasOfAccountAnswer = page(v.object(listedDelta));
export const deltasAnswer = page(v.object({ account_id: text, ...listedDelta }));
/** Summaries with assets or notes are refused when they are submitted. */
const nothing = v.array(v.looseObject({}));
export const deltaAnswer = v.object({
  account_id: text,
  ...delta,
  retained_expires_at: v.optional(timeText),
  base_matches_stored_state: v.optional(v.boolean()),
  proposal: v.optional(v.looseObject({ proposal_type: text })),
  input_notes: nothing,
  output_notes: nothing,
  vault_changes: nothing,
  storage_changes: v.array(
    v.object({ slot_name: text, key: v.optional(text), after: v.nullable(text) }),
  ),
  decode_warnings: v.optional(v.array(v.object({ section: text, reason: text }))),
  raw_transaction_summary: v.optional(text),
});

const proposal = {
  commitment: text,
  nonce: storedNonce,
  proposer_id: text,
  originating_timestamp: timeText,
  signatures_collected: exactCount,
  signatures_required: exactCount,
  prev_commitment: text,
  new_commitment: v.null(),
  proposal_type: v.optional(text),
};
export const proposalsOfAccountAnswer = page(v.object(proposal));
export const proposalsAnswer = page(v.object({ account_id: text, ...proposal }));

export const pausedAnswer = v.object({
  account_id: text,
  before_state: accountState,
  after_state: v.literal('paused'),
  paused_at: timeText,
  paused_reason: text,
});
export const unpausedAnswer = v.object({
  account_id: text,
  before_state: accountState,
  after_state: v.literal('active'),
  reason: v.nullable(text),
});

export const infoAnswer = v.object({
  service_status: v.picklist(['healthy', 'degraded']),
  environment: text,
  build: v.object({
    version: text,
    git_commit: text,
    profile: v.literal('release'),
    started_at: timeText,
  }),
  backend: v.object({
    storage: v.literal('postgres'),
    supported_ack_schemes: v.array(text),
    canonicalization: v.object({
      check_interval_seconds: count,
      max_retries: count,
      submission_grace_period_seconds: count,
      retained_ttl_seconds: count,
      reconcile_interval_seconds: count,
    }),
  }),
  total_account_count: count,
  accounts_by_auth_method: v.record(text, count),
  delta_status_counts: v.object({
    candidate: count,
    canonical: count,
    retained: count,
    discarded: count,
  }),
  in_flight_proposal_count: count,
  latest_activity: v.nullable(timeText),
  degraded_aggregates: v.array(text),
});
