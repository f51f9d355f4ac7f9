/** Commands that decide about what waits for a person. */
import os from 'node:os';
import { accountOf, explainAccount, type FailedJob } from '../../kernel/inspect.ts';
import { operate, retryJob, type OperatorAction } from '../../kernel/operate.ts';
import { brokenJobsOfAccount, misused, ofTask, type Answer, type Command } from './command.ts';

/**
 * Acts on a candidate: the one that is named, or the head of the account's line. A retry works on the
 * failed and missing jobs of the account too.
 */
export async function act(action: OperatorAction, command: Command): Promise<Answer> {
  const { account, task, candidate, database } = command;
  const reason = command.reason?.trim();
  if (!account || !reason) return misused(`canonry ${action} needs an account and --reason.`);
  if (candidate !== undefined) {
    if (!/^\d{1,18}$/.test(candidate)) return misused('--candidate is the number of a candidate.');
    const id = BigInt(candidate);
    if ((await accountOf(database.sql, id)) === account) {
      return actOn(command, action, reason, { candidate: id, jobs: [] });
    }
    return notFound(`${account} has no candidate ${candidate}.`);
  }
  const heads = (await explainAccount(database.sql, account))
    .filter(ofTask(command))
    .flatMap(({ candidate_id: id, task: name }) => (id === null ? [] : [{ id, name }]));
  if (heads.length > 1) {
    const names = heads.map(({ name }) => name).join(', ');
    return misused(`Name one of the lines with --task: ${names}.`);
  }
  const jobs = await brokenJobsOfAccount(command);
  if (heads.length === 0 && jobs.length === 0) {
    return notFound(`${account} has nothing unresolved${task ? ` of task ${task}` : ''}.`);
  }
  if (heads.length === 0 && action !== 'retry') {
    return notFound(`${account} has only a failed job, which can be retried.`);
  }
  return actOn(command, action, reason, {
    candidate: heads[0]?.id,
    jobs: action === 'retry' ? jobs : [],
  });
}

const notFound = (text: string): Answer => ({ data: { outcome: 'not_found' }, text, exitCode: 1 });

async function actOn(
  { database: { sql } }: Command,
  action: OperatorAction,
  reason: string,
  { candidate, jobs }: { candidate: bigint | undefined; jobs: FailedJob[] },
): Promise<Answer> {
  const actor = os.userInfo().username;
  const text: string[] = [];
  let outcome: string = 'done';
  if (candidate !== undefined) {
    outcome = await operate(sql, candidate, action, actor, reason);
    text.push(`${action} candidate ${candidate}: ${outcome}`);
  }
  for (const job of jobs) {
    const retried = await retryJob(sql, job, actor, reason);
    if (retried !== 'done') outcome = retried;
    text.push(`retry job of ${job.task}: ${retried}`);
  }
  return {
    data: {
      outcome,
      ...(candidate === undefined ? {} : { candidate_id: candidate }),
      ...(jobs.length === 0 ? {} : { jobs: jobs.map(({ task }) => task) }),
    },
    text: text.join('\n'),
    exitCode: outcome === 'done' ? 0 : 1,
  };
}
