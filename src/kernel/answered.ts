import { databaseLimits } from '../limits.ts';

/** Longer than the statement may run. */
const answerMs = databaseLimits.statementMs + databaseLimits.answerGraceMs;

/**
 * Waits for a statement of a drain, but not for ever: a connection that fell silent is a lost one,
 * and nobody else works on a line while its drain waits. Nobody knows then whether it was written.
 *
 * @throws what the statement throws; an error when there is no answer within answerMs.
 */
export async function answered<T>(statement: PromiseLike<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error('the database did not answer a statement')),
    answerMs,
  );
  try {
    return await Promise.race([statement, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
