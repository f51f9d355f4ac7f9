/** What roles are refused; what they must be able to do is in roles.process.test.ts. */
import { roleNames, type RoleName } from '../support/roles.ts';

/** All but the owner. */
export const everybody = roleNames.filter((role) => role !== 'migrator');

/** The job engine's worker writes the engine's tables itself. */
const exceptEngine = (table: string) =>
  everybody.filter((role) => role !== 'worker' || !table.startsWith('graphile_worker'));

/** Statements that a role is refused; each is valid SQL that its owner may run. */
export const forbidden: { what: string; statement: string; to: readonly RoleName[] }[] = [
  ...Object.entries({
    'graphile_worker._private_jobs': 'task_id',
    'guardian.account': 'state',
    'guardian.delta': 'status',
    'canonry.line': 'fence',
    'canonry.candidate': 'state',
    'canonry.audit': 'reason',
    'canonry.kind': 'follow_resolution',
    'canonry.migrations': 'sha256',
    'guardian.auth_session': 'subject',
    'guardian.admin_action': 'outcome',
  }).flatMap(([table, column]) =>
    [
      `insert into ${table} default values`,
      `update ${table} set ${column} = null where false`,
      `delete from ${table} where false`,
      `truncate ${table}`,
    ].map((statement) => ({ what: statement, statement, to: exceptEngine(table) })),
  ),
  ...['graphile_worker._private_jobs', 'guardian.auth_session', 'guardian.auth_challenge'].map(
    (table) => ({
      what: `reading ${table}`,
      statement: `select * from ${table}`,
      to: exceptEngine(table),
    }),
  ),
  {
    what: 'recording a denial',
    statement: `select guardian.record_denial('x', null, '{}', 'x', null)`,
    to: ['worker', 'operator', 'readonly'],
  },
  ...[
    'create table canonry.own (x int)',
    'create table guardian.own (x int)',
    'create table public.own (x int)',
    'create schema own',
    'alter table guardian.account add column own int',
    'drop table canonry.replica',
    `create or replace function canonry.leave(p_replica_id text) returns void language sql as ''`,
    'alter function guardian.admit security invoker',
    'alter table canonry.audit disable trigger all',
    'create role own',
    'set role canonry_migrator',
  ].map((statement) => ({ what: statement, statement, to: everybody })),
  {
    what: 'adding a job',
    statement: `select graphile_worker.add_job('canonicalize')`,
    to: ['api', 'operator', 'readonly'],
  },
  {
    what: 'putting a candidate into a line',
    statement: `select canonry.submit('canonicalize', 'x', null)`,
    to: everybody,
  },
  {
    what: 'calling what resolves',
    statement: `select canonry.end_unresolved('canonicalize', 1, 'finalized', 'x')`,
    to: everybody,
  },
  {
    what: 'promoting',
    statement: `select guardian.promote_delta('x', 1, 1, 1, 1)`,
    to: ['api', 'operator', 'readonly'],
  },
  {
    what: 'claiming',
    statement: `select guardian.claim_delta('x', 'me', 1)`,
    to: ['api', 'operator', 'readonly'],
  },
  {
    what: 'opening a session',
    statement: `select guardian.open_session('operator', 'k', 'p', '\\x00', 's', 1)`,
    to: ['worker', 'operator', 'readonly'],
  },
  {
    what: 'issuing a challenge',
    statement: `select * from guardian.issue_challenge('evm', 'k', 'p', '{}', 1, 1)`,
    to: ['worker', 'operator', 'readonly'],
  },
  {
    what: 'pausing an account',
    statement: `select * from guardian.pause_account('x', 'me', 'r', null)`,
    to: ['worker', 'operator', 'readonly'],
  },
  {
    what: 'submitting',
    statement: `select guardian.admit('x', 1, 's', 1)`,
    to: ['worker', 'operator', 'readonly'],
  },
  {
    what: 'reading as a signer',
    statement: `select guardian.admit_read('x', null, 'ecdsa', '{s}', 1)`,
    to: ['worker', 'operator', 'readonly'],
  },
  {
    what: 'acting on a candidate',
    statement: `select canonry.operate(1, 'discard', 'me', 'r')`,
    to: ['api', 'worker', 'readonly'],
  },
  {
    what: 'retrying a job',
    statement: `select canonry.retry_job('reconcile', 'x', 'me', 'r')`,
    to: ['api', 'worker', 'readonly'],
  },
  {
    what: 'seeing what processes have announced',
    statement: 'select * from canonry.announced(100)',
    to: ['api', 'worker', 'readonly'],
  },
  {
    what: 'retrying a candidate',
    statement: 'select canonry.retry_revived(1)',
    to: ['api', 'operator', 'readonly'],
  },
  {
    what: 'reading states',
    statement: 'select state from guardian.account',
    to: ['worker', 'operator', 'readonly'],
  },
  {
    what: 'reading documents',
    statement: 'select payload from guardian.delta',
    to: ['worker', 'operator', 'readonly'],
  },
  {
    what: 'reading fingerprints of settings',
    statement: 'select settings from canonry.replica',
    to: everybody,
  },
];
