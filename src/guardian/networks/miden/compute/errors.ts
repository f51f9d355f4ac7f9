/** Errors of the computation pool, and how errors keep their class between threads. */
import { AuthenticationError } from '../../../authentication/signature.ts';
import { UnverifiableError } from '../../network.ts';
import { FalconSigningError } from '../falcon/sign.ts';

/** There is more work than the threads can take. Nothing was done; the caller may try again. */
export class ComputeOverloadError extends Error {
  override name = 'ComputeOverloadError';
}

/** The operation did not end: its thread was stopped or died, or the pool is closed. */
export class ComputeFailedError extends Error {
  override name = 'ComputeFailedError';
}

/** An error as plain data. */
export interface ErrorRecord {
  name: string;
  message: string;
  stack: string | undefined;
}

/** The outcomes that callers tell apart. Everything else is a fault of ours. */
const EXPECTED = new Map<string, new (message: string) => Error>([
  [UnverifiableError.name, UnverifiableError],
  [AuthenticationError.name, AuthenticationError],
  [FalconSigningError.name, FalconSigningError],
]);

export function toErrorRecord(error: unknown): ErrorRecord {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: 'something else than an error was thrown', stack: undefined };
  }
  return { name: error.name, message: error.message, stack: error.stack };
}

/** Expected errors come back in their class; others as ComputeFailedError with their own stack. */
export function fromErrorRecord(record: ErrorRecord): Error {
  const expected = EXPECTED.get(record.name);
  if (expected) return new expected(record.message);
  const error = new ComputeFailedError(`${record.name}: ${record.message}`);
  if (record.stack !== undefined) error.stack = record.stack;
  return error;
}
