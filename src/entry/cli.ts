/**
 * `canonry`: what an operator asks and does.
 *
 * Exit codes: 0 done, or nothing wrong; 1 something is wrong, or the action was not possible;
 * 2 the command was not understood.
 */
import os from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { loadConfig, type Config } from '../config/load.ts';
import { assertMigrated } from '../database/migrate.ts';
import type { Sql } from '../database/connect.ts';
import { openKeystore } from '../guardian/acknowledgement/keystore.ts';
import { mixedSettings, type MixedSetting } from '../coordination/replicas.ts';
import { examine, type Finding } from '../kernel/doctor.ts';
import { accountOf, auditOf, explainAccount, failedCandidates } from '../kernel/inspect.ts';
import { operate, type OperatorAction } from '../kernel/operate.ts';
import { openConfiguredDatabase } from './database.ts';
import { exitWithMessage } from './shutdown.ts';

const usage = `canonry failed                                    candidates that wait for a person
canonry explain ACCOUNT                           where an account's line stands, and why
canonry retry|skip|discard ACCOUNT --reason TEXT  act on the head of the account's line; skip also
                                                  takes a parked candidate off the failed ones
canonry doctor                                    signs of trouble, each with its remedy
canonry keys FOLDER                               makes the keys of a deployment, where missing

  --task NAME     the line, when the account has several
  --candidate ID  this candidate of the account instead of the head
  --json          one JSON object instead of text
`;

interface Command {
  sql: Sql;
  config: Config;
  account: string | undefined;
  task: string | undefined;
  reason: string | undefined;
  candidate: string | undefined;
}

/** What a command answers: `text` for people, `data` for programs. */
interface Answer {
  data: unknown;
  text: string;
  exitCode: 0 | 1 | 2;
}

/** Instants as ISO text, large integers as numbers: they are ids and counters. */
const toJson = (data: unknown): string =>
  JSON.stringify(data, (_key, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );

const misused = (text: string): Answer => ({ data: { error: text }, text, exitCode: 2 });

async function failed({ sql }: Command): Promise<Answer> {
  const candidates = await failedCandidates(sql);
  const lines = candidates.map(
    ({ account, task, candidate_id: id, state, failures, last_error: error, job_id: job }) =>
      `${account}  ${task}  candidate ${id}  ${state}  ${failures} failures  job ${job ?? 'MISSING'}  ${error ?? ''}`,
  );
  return {
    data: { failed: candidates },
    text: lines.length > 0 ? lines.join('\n') : 'Nothing waits for a person.',
    exitCode: candidates.length > 0 ? 1 : 0,
  };
}

async function explain({ sql, account }: Command): Promise<Answer> {
  if (!account) return misused('canonry explain needs an account.');
  const lines = await explainAccount(sql, account);
  const audit = await auditOf(sql, account, 10);
  const text = lines.map((line) => {
    const held = line.holder ? `held by ${line.holder}` : 'free';
    if (line.candidate_id === null) return `${line.task}: empty, ${held}, fence ${line.fence}`;
    return [
      `${line.task}: ${line.unresolved} unresolved, ${held}, fence ${line.fence}`,
      `  head: candidate ${line.candidate_id}, ${line.state}, ${line.why}; ${line.attempts} looks, ${line.failures} failures`,
      `  next look: ${line.next_attempt_at?.toISOString()}; wake-up: ${line.job_id === null ? 'none' : `job ${line.job_id} at ${line.job_run_at?.toISOString()}`}`,
      ...(line.last_error ? [`  last error: ${line.last_error}`] : []),
    ].join('\n');
  });
  const actions = audit.map(
    ({ at, actor, action, candidate_id: id, reason }) =>
      `  ${at.toISOString()}  ${actor}  ${action}  candidate ${id}  ${reason}`,
  );
  return {
    data: { account, lines, audit },
    text: text.length > 0 ? [...text, ...actions].join('\n') : `${account} has no line.`,
    exitCode: lines.length > 0 ? 0 : 1,
  };
}

async function act(action: OperatorAction, command: Command): Promise<Answer> {
  const { sql, account, task, reason, candidate } = command;
  if (!account || !reason) return misused(`canonry ${action} needs an account and --reason.`);
  if (candidate !== undefined) {
    if (!/^\d{1,18}$/.test(candidate)) return misused('--candidate is the number of a candidate.');
    const id = BigInt(candidate);
    if ((await accountOf(sql, id)) === account) return actOn(sql, action, id, reason);
    return notFound(`${account} has no candidate ${candidate}.`);
  }
  const lines = await explainAccount(sql, account);
  const heads = lines.filter((line) => line.candidate_id !== null && (!task || line.task === task));
  const [head] = heads;
  if (!head || head.candidate_id === null) {
    return notFound(`${account} has nothing unresolved.`);
  }
  if (heads.length > 1)
    return misused(
      `Name one of the lines with --task: ${heads.map((line) => line.task).join(', ')}.`,
    );
  return actOn(sql, action, head.candidate_id, reason);
}

const notFound = (text: string): Answer => ({ data: { outcome: 'not_found' }, text, exitCode: 1 });

async function actOn(
  sql: Sql,
  action: OperatorAction,
  id: bigint,
  reason: string,
): Promise<Answer> {
  const outcome = await operate(sql, id, action, os.userInfo().username, reason);
  return {
    data: { outcome, candidate_id: id },
    text: `${action} candidate ${id}: ${outcome}`,
    exitCode: outcome === 'done' ? 0 : 1,
  };
}

async function doctor({ sql, config }: Command): Promise<Answer> {
  const kernel = await examine(sql, {
    wakeQueue: config.WAKE_QUEUE,
    poolSize: config.GUARDIAN_DB_POOL_MAX_SIZE,
    lookDeadlineMs: config.GUARDIAN_MIDEN_RPC_TIMEOUT_MS,
    variables: {
      wakeQueue: 'WAKE_QUEUE',
      poolSize: 'GUARDIAN_DB_POOL_MAX_SIZE',
      lookDeadlineMs: 'GUARDIAN_MIDEN_RPC_TIMEOUT_MS',
    },
  });
  const findings = [...kernel, replicaSettings(await mixedSettings(sql))];
  const text = findings.map(({ check, ok, detail, remedy }) =>
    ok ? `ok    ${check}: ${detail}` : `WRONG ${check}: ${detail}\n      ${remedy}`,
  );
  return {
    data: { findings },
    text: text.join('\n'),
    exitCode: findings.every(({ ok }) => ok) ? 0 : 1,
  };
}

function replicaSettings(mixed: MixedSetting[]): Finding {
  const names = mixed.map(({ role, setting }) => `${role}: ${setting}`).join(', ');
  const check = 'replica settings';
  if (mixed.length === 0) return { check, ok: true, detail: 'the same on all living processes' };
  const remedy = 'give every replica the same values, then restart those that differ';
  return { check, ok: false, detail: `not the same on all: ${names}`, remedy };
}

const commands: Record<string, (command: Command) => Promise<Answer>> = {
  failed,
  explain,
  retry: (command) => act('retry', command),
  skip: (command) => act('skip', command),
  discard: (command) => act('discard', command),
  doctor,
};

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        reason: { type: 'string' },
        task: { type: 'string' },
        candidate: { type: 'string' },
      },
    });
  } catch {
    return { values: {}, positionals: [] };
  }
}

try {
  const { values, positionals } = readArguments();
  if (positionals[0] === 'keys' && positionals[1]) {
    // needs no database: there is none yet
    await openKeystore(positionals[1]);
    console.log(`falcon.key and ecdsa.key are in ${positionals[1]}: the same for every replica`);
    process.exit(0);
  }
  const run = commands[positionals[0] ?? ''];
  if (!run) {
    process.stderr.write(usage);
    process.exit(2);
  }
  const config = loadConfig(process.env);
  const database = await openConfiguredDatabase(config, {
    applicationName: 'canonry-cli',
    direct: true,
  });
  try {
    await assertMigrated(database.sql);
    const { sql } = database;
    const { task, reason, candidate } = values;
    const answer = await run({ sql, config, account: positionals[1], task, reason, candidate });
    console.log(values.json ? toJson(answer.data) : answer.text);
    process.exitCode = answer.exitCode;
  } finally {
    await database.close();
  }
} catch (error) {
  exitWithMessage(error);
}
