/** Commands that show where accounts stand. */
import {
  auditOf,
  explainAccount,
  failedCandidates,
  type AuditEntry,
  type ExplainedLine,
  type FailedCandidate,
  type FailedJob,
} from '../../kernel/inspect.ts';
import {
  brokenJobs,
  brokenJobsOfAccount,
  misused,
  ofTask,
  type Answer,
  type Command,
} from './command.ts';

/** Entries of the audit that `explain` shows. */
const auditEntries = 10;

/** Candidates and jobs that wait for a person. */
export async function failed(command: Command): Promise<Answer> {
  const candidates = await failedCandidates(command.database.sql);
  const jobs = await brokenJobs(command);
  const lines = [...candidates.map(candidateText), ...jobs.map(jobText)];
  return {
    data: { failed: candidates, jobs },
    text: lines.length > 0 ? lines.join('\n') : 'Nothing waits for a person.',
    exitCode: lines.length > 0 ? 1 : 0,
  };
}

/** Where the lines of an account stand, and why. */
export async function explain(command: Command): Promise<Answer> {
  const { account, task } = command;
  if (!account) return misused('canonry explain needs an account.');
  const { sql } = command.database;
  const lines = (await explainAccount(sql, account)).filter(ofTask(command));
  const jobs = await brokenJobsOfAccount(command);
  const audit = (await auditOf(sql, account, auditEntries)).filter(ofTask(command));
  const text = [...lines.map(lineText), ...jobs.map(jobText), ...audit.map(auditText)];
  return {
    data: { account, lines, jobs, audit },
    text:
      text.length > 0
        ? text.join('\n')
        : `${account} has no line${task ? ` of task ${task}` : ''}.`,
    exitCode: lines.length + jobs.length > 0 ? 0 : 1,
  };
}

function candidateText(candidate: FailedCandidate): string {
  const { account, task, candidate_id: id, state, failures, last_error: error } = candidate;
  const job = candidate.job_id ?? 'MISSING';
  return `${account}  ${task}  candidate ${id}  ${state}  ${failures} failures  job ${job}  ${error ?? ''}`;
}

function jobText({ account, task, job_id: id, last_error: error, since }: FailedJob): string {
  if (id === null) return `${account}  ${task}  job MISSING`;
  return `${account}  ${task}  job ${id}  failed for good ${since?.toISOString()}  ${error ?? ''}`;
}

function lineText(line: ExplainedLine): string {
  const held = line.holder ? `held by ${line.holder}` : 'free';
  if (line.candidate_id === null) return `${line.task}: empty, ${held}, fence ${line.fence}`;
  return [
    `${line.task}: ${line.unresolved} unresolved, ${held}, fence ${line.fence}`,
    `  head: candidate ${line.candidate_id}, ${line.state}, ${line.why}; ${line.attempts} looks, ${line.failures} failures`,
    `  next look: ${line.state === 'halted' ? 'when a person says so' : line.next_attempt_at?.toISOString()}; wake-up: ${line.job_id === null ? 'none' : `job ${line.job_id} at ${line.job_run_at?.toISOString()}`}`,
    ...(line.last_error ? [`  last error: ${line.last_error}`] : []),
  ].join('\n');
}

function auditText({ at, actor, action, task, candidate_id: id, reason }: AuditEntry): string {
  const what = id === 0n ? `job of ${task}` : `candidate ${id}`;
  return `  ${at.toISOString()}  ${actor}  ${action}  ${what}  ${reason}`;
}
