import process from 'node:process';
import { errorFields, type Log } from '../observability/log.ts';

/** Longest clean stop; the platform's kill comes later (fly.toml, kill_timeout). */
const deadlineMs = 20_000;

/** What a process runs, and how it ends in order. */
export interface Running {
  log: Log;
  close(): Promise<void>;
}

/**
 * Starts a process and ends it in order on SIGTERM and SIGINT: the exit code is 0 when `close`
 * finishes in time. The handlers stand before anything is started, so that a worker never takes a
 * job that a signal could not hand over; a signal during the start lets it finish and then closes
 * what it started, since half of a start has nothing that could be closed. A second signal ends the
 * process at once. A start that fails ends it with its message and exit code 1.
 */
export async function runUntilSignal(start: () => Promise<Running>): Promise<void> {
  const asked = Promise.withResolvers<void>();
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(130);
    stopping = true;
    setTimeout(() => exitWithMessage(new Error('the stop took too long')), deadlineMs);
    asked.resolve();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  let running: Running;
  try {
    running = await start();
  } catch (error) {
    exitWithMessage(error);
  }
  await asked.promise;
  try {
    await running.close();
  } catch (error) {
    running.log.error(errorFields(error), 'the stop failed');
    process.exit(1);
  }
  process.exit(0);
}

/**
 * Ends the process with the message of an error that a person has to act on, without a stack.
 * Secrets are not in these messages.
 */
export function exitWithMessage(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
