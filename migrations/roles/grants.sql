-- Who: every `npm run migrate` of a database that uses roles, as the migrator, in the transaction
-- that brings the functions. Takes every right back first, so that what is left is what stands here.
-- A function that writes runs with the rights of its owner, the migrator, and with a search path
-- that no caller can bend; who may call it is said below, and nobody else may. A function that only
-- reads runs with the rights of its caller.

-- functions of later migrations are nobody's until they stand below
alter default privileges revoke execute on functions from public;
revoke all on all functions in schema canonry, guardian, graphile_worker
  from public, canonry_api, canonry_worker, canonry_operator, canonry_readonly;
revoke all on all tables in schema canonry, guardian, graphile_worker
  from public, canonry_api, canonry_worker, canonry_operator, canonry_readonly;
revoke all on schema canonry, guardian, graphile_worker
  from public, canonry_api, canonry_worker, canonry_operator, canonry_readonly;

grant usage on schema canonry to canonry_api, canonry_worker, canonry_operator, canonry_readonly;
grant usage on schema guardian to canonry_api, canonry_worker, canonry_operator, canonry_readonly;
grant usage on schema graphile_worker to canonry_worker, canonry_operator, canonry_readonly;

-- every process looks whether the database is migrated
grant select on canonry.migrations
  to canonry_api, canonry_worker, canonry_operator, canonry_readonly;

do $$
declare
  v_role text;
  v_functions text[];
  v_function text;
begin
  for v_role, v_functions in values
    ('canonry_api', array[
      'canonry.announce', 'canonry.leave',
      'guardian.admit', 'guardian.admit_read', 'guardian.refusal_details', 'guardian.configure_account',
      'guardian.submit_delta', 'guardian.submit_deltas', 'guardian.request_abandon',
      'guardian.create_proposal', 'guardian.sign_proposal', 'guardian.proposal_after',
      'guardian.issue_challenge', 'guardian.decoy_challenge', 'guardian.live_challenges',
      'guardian.open_session', 'guardian.session_subject', 'guardian.revoke_session',
      'guardian.sweep_sessions',
      'guardian.register_evm_account', 'guardian.create_evm_proposal',
      'guardian.approve_evm_proposal', 'guardian.cancel_evm_proposal',
      'guardian.mark_used_evm_nonces', 'guardian.sweep_evm_proposals',
      'guardian.pause_account', 'guardian.unpause_account', 'guardian.record_denial',
      'guardian.count_canonical', 'guardian.mark_encrypted'
    ]),
    ('canonry_worker', array[
      'canonry.announce', 'canonry.leave',
      'canonry.beat', 'canonry.sweep', 'canonry.remove_idle_queues', 'canonry.retire',
      'canonry.locked_jobs', 'canonry.unlock_jobs',
      'canonry.hand_over', 'canonry.fail', 'canonry.retry_revived',
      'guardian.claim_delta', 'guardian.promote_delta', 'guardian.give_up_delta',
      'guardian.snooze_delta', 'guardian.snooze_deltas', 'guardian.known_commitment',
      'guardian.reconcilable', 'guardian.reconcile_delta', 'guardian.reconcile_later'
    ]),
    ('canonry_operator', array[
      'canonry.operate', 'canonry.retry_job', 'canonry.announced', 'canonry.mixed_settings',
      'guardian.unwatched_accounts'
    ])
  loop
    foreach v_function in array v_functions loop
      execute format(
        'alter function %s security definer set search_path = pg_catalog, pg_temp', v_function);
      execute format('grant execute on function %s to %I', v_function, v_role);
    end loop;
  end loop;
end
$$;

-- The API reads what it shows, and writes by the functions above alone.
grant select on guardian.account, guardian.delta, guardian.proposal, guardian.proposal_signature,
  guardian.evm_account, guardian.evm_proposal, guardian.evm_signature,
  guardian.account_count, guardian.canonical_count, guardian.storage_encryption to canonry_api;
grant execute on function guardian.signatures_of, guardian.proposal_metadata,
  guardian.proposal_type, guardian.listed_accounts, guardian.listed_account,
  guardian.account_proposals, guardian.pending_proposals, guardian.delta_feed,
  guardian.delta_counts, guardian.latest_activity, guardian.active_evm_proposals,
  guardian.sealed_document to canonry_api;

-- What a worker shows of the whole system (GUARDIAN_METRICS_ENABLED) are counts.
grant select on guardian.account_count, guardian.canonical_count to canonry_worker;
grant select (account_id, status, status_timestamp) on guardian.delta to canonry_worker;
grant select (account_id) on guardian.proposal to canonry_worker;
grant execute on function guardian.delta_counts to canonry_worker;

-- The job engine's worker writes its tables with statements of its own.
grant select on graphile_worker.migrations, graphile_worker.jobs to canonry_worker;
grant select, insert, update, delete on graphile_worker._private_jobs,
  graphile_worker._private_job_queues, graphile_worker._private_tasks,
  graphile_worker._private_known_crontabs to canonry_worker;
grant execute on all functions in schema graphile_worker to canonry_worker;

-- An operator sees where lines stand, not what customers keep.
grant select on canonry.line, canonry.candidate, canonry.worker, canonry.audit
  to canonry_operator, canonry_readonly;
grant select on graphile_worker.jobs to canonry_operator, canonry_readonly;
grant select on graphile_worker._private_job_queues, guardian.admin_action to canonry_operator;
-- for a command line of the version before
grant select (account_id, status) on guardian.delta to canonry_operator;

-- Dashboards count and name; states, documents, logins and settings stay unseen.
grant select (replica_id, role, started_at, seen_at) on canonry.replica to canonry_readonly;
grant select (account_id, auth_version, auth_scheme, commitment, created_at, updated_at,
  metadata_updated_at, paused_at, paused_reason, released_at) on guardian.account
  to canonry_readonly;
grant select (account_id, nonce, candidate_id, status, status_reason, status_timestamp,
  prev_commitment, new_commitment, retry_count, divergence_count, abandon_requested_at,
  reconcile_count) on guardian.delta to canonry_readonly;
grant select (account_id, commitment, nonce, created_at) on guardian.proposal to canonry_readonly;
grant select (account_id, chain_id, address, created_at, updated_at, paused_at, paused_reason,
  released_at) on guardian.evm_account to canonry_readonly;
grant select (account_id, proposal_id, threshold, created_at, expires_at) on guardian.evm_proposal
  to canonry_readonly;
grant select on guardian.admin_action, guardian.account_count, guardian.canonical_count
  to canonry_readonly;

-- The engine's tables have row security on and no policies: only their owner would see rows.
do $$
declare
  v_table text;
  v_role text;
begin
  for v_table, v_role in values
    ('_private_jobs', 'canonry_worker'), ('_private_job_queues', 'canonry_worker'),
    ('_private_tasks', 'canonry_worker'), ('_private_known_crontabs', 'canonry_worker'),
    ('_private_job_queues', 'canonry_operator')
  loop
    if not exists (
      select 1 from pg_policies
      where schemaname = 'graphile_worker' and tablename = v_table and policyname = v_role
    ) then
      execute format(
        'create policy %I on graphile_worker.%I to %I using (true)', v_role, v_table, v_role);
    end if;
  end loop;
end
$$;
