/**
 * A typed client for what Canonry adds to Guardian's protocol; for the protocol itself use the
 * published `@openzeppelin/guardian-client`. Types and checks are the schemas of docs/openapi.json.
 */
import * as v from 'valibot';
import { contractAnswer } from '../http/api-docs.ts';
import { healthyAnswer, notReadyAnswer, readyAnswer } from '../http/health.ts';
import { errorEnvelope } from '../http/openapi/error-envelope.ts';

/** Each of them throws CanonryError; and what `fetch` throws, when nobody answers in time. */
export interface CanonryClient {
  /** Whether the process runs. */
  health(): Promise<v.InferOutput<typeof healthyAnswer>>;
  /** Whether it can do its work, and why not. */
  readiness(): Promise<v.InferOutput<typeof readyAnswer> | v.InferOutput<typeof notReadyAnswer>>;
  /** The contract of the version that runs there. */
  contract(): Promise<v.InferOutput<typeof contractAnswer>>;
}

/** A refusal of the service, or an answer that is not one of the contract. */
export class CanonryError extends Error {
  override name = 'CanonryError';
  readonly status: number;
  /** Undefined when the answer was not the service's. */
  readonly code: string | undefined;
  readonly retryable: boolean;
  /** Seconds; undefined without a hint. */
  readonly retryAfter: number | undefined;

  constructor(status: number, envelope: v.InferOutput<typeof errorEnvelope> | undefined) {
    super(envelope?.message ?? `The answer with status ${status} is not Canonry’s.`);
    this.status = status;
    this.code = envelope?.code;
    this.retryable = envelope?.meta.retryable ?? false;
    this.retryAfter = envelope?.meta.retry_after_secs;
  }
}

/**
 * @example
 * const canonry = openClient('http://127.0.0.1:3000');
 * const { status } = await canonry.readiness();
 *
 * @param url base of the service.
 * @param timeoutMs longest wait for one answer.
 */
export function openClient(url: string, { timeoutMs = 5_000 } = {}): CanonryClient {
  async function get<T extends v.GenericSchema>(path: string, schema: T) {
    const response = await fetch(new URL(path, url), { signal: AbortSignal.timeout(timeoutMs) });
    const body: unknown = await response.json().catch(() => undefined);
    const answer = v.safeParse(schema, body);
    if (answer.success) return answer.output;
    const envelope = v.safeParse(errorEnvelope, body);
    throw new CanonryError(response.status, envelope.success ? envelope.output : undefined);
  }
  return {
    health: () => get('/healthz', healthyAnswer),
    readiness: () => get('/readyz', v.variant('status', [readyAnswer, notReadyAnswer])),
    contract: () => get('/api-docs/openapi.json', contractAnswer),
  };
}
