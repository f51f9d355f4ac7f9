/** What an operator's command is given, and what it answers. */
import type { Database } from '../../database/connect.ts';
import { unwatchedAccounts } from '../../guardian/deltas/reconcile.ts';
import { failedJobs, type FailedJob } from '../../kernel/inspect.ts';

export interface Command {
  database: Database;
  account: string | undefined;
  task: string | undefined;
  reason: string | undefined;
  candidate: string | undefined;
}

/** `text` for people, `data` for programs. */
export interface Answer {
  data: unknown;
  text: string;
  exitCode: 0 | 1 | 2;
}

/** A command that was not understood. */
export const misused = (text: string): Answer => ({ data: { error: text }, text, exitCode: 2 });

/** Whether an entry is of the task that was named, if one was. */
export const ofTask =
  ({ task }: Command) =>
  (entry: { task: string }): boolean =>
    !task || entry.task === task;

/** The broken jobs of the account, and of the task, that were named. */
export async function brokenJobsOfAccount(command: Command): Promise<FailedJob[]> {
  const jobs = await brokenJobs(command);
  return jobs.filter((job) => job.account === command.account).filter(ofTask(command));
}

/** Jobs that failed for good, and jobs that are missing: what a person has to look at. */
export async function brokenJobs({ database: { sql } }: Command): Promise<FailedJob[]> {
  const lost = await unwatchedAccounts(sql);
  return [
    ...(await failedJobs(sql)),
    ...lost.map((account) => ({
      task: 'reconcile',
      account,
      job_id: null,
      last_error: null,
      since: null,
    })),
  ];
}
