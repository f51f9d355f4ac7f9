/**
 * The errors a client can see: one class, and a table of codes (src/errors/table.ts).
 */
import { errorRows as rows, type ErrorRow } from './errors/table.ts';

export type ErrorCode = keyof typeof rows;

/** Optional facts in `meta`, in wire spelling; only for the codes that define them. */
export interface ErrorMeta {
  retry_after_secs?: number;
  paused_at?: string;
  paused_reason?: string | null;
  released_at?: string;
  /** Sorted, without duplicates. */
  missing_permissions?: readonly string[];
}

export interface ErrorEnvelope {
  code: string;
  message: string;
  meta: ErrorMeta & { retryable: boolean };
}

/** An error with a row in the table; everything else a request throws is `storage_error`. */
export class ServiceError extends Error {
  override name = 'ServiceError';
  readonly code: ErrorCode;
  readonly meta: ErrorMeta;
  /** Overrides the row's status for framework rejections (404, 405, 408, 413, 415). */
  readonly status: number;

  constructor(
    code: ErrorCode,
    message?: string,
    options: { meta?: ErrorMeta; status?: number; cause?: unknown } = {},
  ) {
    super(
      message ?? rows[code].message,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.meta = options.meta ?? {};
    this.status = options.status ?? rows[code].status;
  }

  /** The body every error is answered with. */
  envelope(): ErrorEnvelope {
    const row: ErrorRow = rows[this.code];
    return {
      code: row.wire ?? this.code,
      message: this.message,
      meta: { retryable: row.retryable, ...this.meta },
    };
  }
}

/** Status, default text and spelling on the wire of a code. */
export function errorRow(code: ErrorCode): Pick<ErrorRow, 'status' | 'message'> & { wire: string } {
  const { status, message, wire }: ErrorRow = rows[code];
  return { status, message, wire: wire ?? code };
}

/** Rows for the generated documentation, in table order. */
export function errorTable(): (ErrorRow & { code: string })[] {
  return Object.entries<ErrorRow>(rows).map(([code, row]) => ({ ...row, code: row.wire ?? code }));
}
