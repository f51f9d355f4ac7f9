/** The one thing Canonry asks a Miden node: the commitment of an account, over grpc-web. */
import { setTimeout as delay } from 'node:timers/promises';

import { midenRpcLimits } from '../../../../limits.ts';
import { ChainError } from '../../network.ts';
import {
  decodeAccountCommitment,
  encodeAccountRequest,
  GET_ACCOUNT_PATH,
} from './account-messages.ts';
import { frameMessage, GRPC_WEB_CONTENT_TYPE, readUnaryBody } from './grpc-web.ts';
import { concatBytes, WireFormatError } from './protobuf.ts';

export interface MidenNodeOptions {
  /** `http(s)://host[:port][/prefix]`. */
  endpoint: string;
  /** For a whole read, all attempts and the body included. */
  timeoutMs: number;
  /** At least 1; each attempt gets an equal share of the time. */
  maxAttempts: number;
  /** Told of every look. */
  watcher?: MidenNodeWatcher;
}

/** What is worth knowing of the looks at a node, apart from what they show. */
export interface MidenNodeWatcher {
  /** @param seconds of the whole look, retries included. */
  looked(outcome: 'success' | 'error', seconds: number): void;
  retried(): void;
}

/** A failure that another attempt may not meet: nothing the node says about the request. */
class PassingChainError extends ChainError {}

/** The connection broke before there was an answer. */
class BrokenConnectionError extends PassingChainError {}

/** gRPC statuses that say "not now" (gRPC status codes: RESOURCE_EXHAUSTED, UNAVAILABLE). */
const PASSING_GRPC_STATUSES: ReadonlySet<string> = new Set(['8', '14']);
const PASSING_HTTP_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export class MidenNode {
  readonly #url: string;
  /** What errors call the node: no path, no query, nothing an operator might keep secret there. */
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #maxAttempts: number;
  readonly #watcher: MidenNodeWatcher | undefined;

  /** @throws TypeError for an endpoint that is no http(s) URL, or that holds credentials. */
  constructor(options: MidenNodeOptions) {
    this.#url = options.endpoint.replace(/\/+$/, '') + GET_ACCOUNT_PATH;
    const url = URL.parse(this.#url);
    if (!url || !/^https?:$/.test(url.protocol) || url.username + url.password !== '') {
      throw new TypeError('the endpoint of the Miden node is not a plain http(s) URL');
    }
    this.#name = `Miden node ${url.origin}`;
    this.#timeoutMs = options.timeoutMs;
    this.#maxAttempts = options.maxAttempts;
    this.#watcher = options.watcher;
  }

  /**
   * @param accountId `0x` + 30 lower-case hex digits.
   * @returns `0x` + 64 hex digits, or null while the account is not on chain.
   * @throws ChainError for every failure of the node; the text is for operators and never
   *   holds what the node sent.
   */
  async accountCommitment(accountId: string): Promise<string | null> {
    if (!/^0x[0-9a-f]{30}$/.test(accountId)) throw new TypeError('not a Miden account id');
    const started = performance.now();
    const looked = (outcome: 'success' | 'error') =>
      this.#watcher?.looked(outcome, (performance.now() - started) / 1_000);
    try {
      const commitment = await this.#look(accountId);
      looked('success');
      return commitment;
    } catch (error) {
      looked('error');
      throw error;
    }
  }

  async #look(accountId: string): Promise<string | null> {
    const deadline = AbortSignal.timeout(this.#timeoutMs);
    const share = Math.ceil(this.#timeoutMs / this.#maxAttempts);
    let reconnected = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#ask(accountId, AbortSignal.any([deadline, AbortSignal.timeout(share)]));
      } catch (error) {
        // A kept connection may be closed by the node at the moment it is used again: that is no
        // failed attempt, and reading twice does no harm.
        if (error instanceof BrokenConnectionError && !reconnected && !deadline.aborted) {
          reconnected = true;
          attempt -= 1;
          continue;
        }
        const again = error instanceof PassingChainError && attempt < this.#maxAttempts;
        if (!again || deadline.aborted) throw error;
      }
      this.#watcher?.retried();
      await delay(midenRpcLimits.retryDelayMs);
    }
  }

  async #ask(accountId: string, signal: AbortSignal): Promise<string | null> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': GRPC_WEB_CONTENT_TYPE, 'x-grpc-web': '1' },
        body: frameMessage(encodeAccountRequest(accountId)),
        redirect: 'manual',
        signal,
      });
      try {
        this.#checkHead(response);
        const { message, trailers } = readUnaryBody(await readBounded(response));
        this.#checkStatus(trailers.get('grpc-status') ?? response.headers.get('grpc-status'));
        if (message === null) throw new WireFormatError('there is no message');
        return decodeAccountCommitment(message, accountId);
      } catch (error) {
        // An unread body would keep its connection from being used again.
        if (!response.bodyUsed) await response.body?.cancel();
        throw error;
      }
    } catch (error) {
      throw this.#explain(error, signal);
    }
  }

  #checkHead(response: Response): void {
    if (response.status !== 200) {
      const passing = PASSING_HTTP_STATUSES.has(response.status);
      throw this.#failure(passing, `answered with HTTP status ${String(response.status)}`);
    }
    const [type] = (response.headers.get('content-type') ?? '').split(';');
    if (!/^application\/grpc-web(\+proto)?$/i.test(type?.trim() ?? '')) {
      throw this.#failure(false, 'does not speak grpc-web: its answer has another content type');
    }
    // A failed call may carry its status in the headers and no body at all.
    const status = response.headers.get('grpc-status');
    if (status !== null) this.#checkStatus(status);
  }

  #checkStatus(status: string | null): void {
    if (status === '0') return;
    if (status === null) throw new WireFormatError('there is no grpc-status');
    if (!/^\d{1,3}$/.test(status)) throw new WireFormatError('the grpc-status is not a number');
    throw this.#failure(PASSING_GRPC_STATUSES.has(status), `refused with gRPC status ${status}`);
  }

  #failure(passing: boolean, what: string): ChainError {
    const message = `${this.#name} ${what}`;
    return passing ? new PassingChainError(message) : new ChainError(message);
  }

  #explain(error: unknown, signal: AbortSignal): ChainError {
    if (error instanceof ChainError) return error;
    if (error instanceof WireFormatError) {
      return this.#failure(false, `sent a malformed answer: ${error.message}`);
    }
    if (signal.aborted) return this.#failure(true, 'did not answer in time');
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const suffix = /^[A-Z_]+$/.test(code) ? ` (${code})` : '';
    return new BrokenConnectionError(`${this.#name} could not be reached${suffix}`);
  }
}

/** @throws WireFormatError when the body is larger than an honest answer can be. */
async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by an exception cancels the stream.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > midenRpcLimits.responseBytes) throw new WireFormatError('it is too large');
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}
