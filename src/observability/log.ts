/**
 * Structured logs on standard output. Account ids and codes, never payloads, headers or keys:
 * a log line carries only the fields that a call site names.
 */
import { pino, type Logger } from 'pino';

export type Log = Logger;

/** @param level least severe level to write, or `silent`. */
export function createLog(level: string, fields: Record<string, string> = {}): Log {
  return pino({ level, base: fields, timestamp: pino.stdTimeFunctions.isoTime });
}

/** What a log line says about an error: its name, message and, for ours, the cause's message. */
export function errorFields(error: unknown): { error: string; cause?: string; stack?: string } {
  if (!(error instanceof Error)) return { error: String(error) };
  const cause = error.cause instanceof Error ? { cause: error.cause.message } : {};
  return {
    error: `${error.name}: ${error.message}`,
    ...cause,
    ...(error.stack ? { stack: error.stack } : {}),
  };
}
