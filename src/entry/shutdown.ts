import process from 'node:process';
import { errorFields, type Log } from '../observability/log.ts';

/** Longest clean stop; the platform's kill comes later (fly.toml, kill_timeout). */
const deadlineMs = 20_000;

/**
 * Ends the process in order on SIGTERM and SIGINT: `close` runs once, the exit code is 0 when it
 * finishes in time. A second signal ends the process at once.
 */
export function closeOnSignal(close: () => Promise<void>, log: Log): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(130);
    stopping = true;
    const deadline = setTimeout(() => {
      log.error('the stop took too long');
      process.exit(1);
    }, deadlineMs);
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error(errorFields(error), 'the stop failed');
        clearTimeout(deadline);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/**
 * Ends the process with the message of an error that a person has to act on, without a stack.
 * Secrets are not in these messages.
 */
export function exitWithMessage(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
