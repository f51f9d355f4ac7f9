/** JSON-RPC over HTTP, for reads: one node, everything about its answers bounded and checked. */
import * as v from 'valibot';
import { evmLimits } from '../../../limits.ts';
import { EvmChainError } from './chain.ts';

const hexData = v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]*$/));
const envelope = v.union([
  v.object({ jsonrpc: v.literal('2.0'), result: hexData }),
  v.object({
    jsonrpc: v.literal('2.0'),
    error: v.object({ code: v.number(), message: v.optional(v.string(), '') }),
  }),
]);

/** Nodes answer this for a call that the contract ended, whatever else they put into it. */
const revertCode = 3;

export class EvmNode {
  readonly #url: string;
  readonly #chainId: number;
  readonly #timeoutMs: number;
  #verified: Promise<void> | undefined;

  constructor(url: string, chainId: number, timeoutMs: number = evmLimits.rpcMs) {
    this.#url = url;
    this.#chainId = chainId;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Calls a contract at the newest block. The first call asks the node which chain it serves.
   * @returns what the contract returned, as hex.
   * @throws EvmChainError
   */
  async call(to: string, data: string): Promise<string> {
    await (this.#verified ??= this.#verify());
    return this.#request('eth_call', [{ to, data }, 'latest']);
  }

  async #verify(): Promise<void> {
    try {
      const answer = await this.#request('eth_chainId', []);
      if (answer.length > 66 || BigInt(answer === '0x' ? 0 : answer) !== BigInt(this.#chainId)) {
        // says nothing about the account: the next node may be the right one
        throw this.#error('unavailable', 'eth_chainId', 'serves another chain');
      }
    } catch (error) {
      this.#verified = undefined; // the next call asks again
      throw error;
    }
  }

  async #request(method: string, params: readonly unknown[]): Promise<string> {
    const text = await this.#exchange(
      JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      method,
    );
    const answer = v.safeParse(envelope, parseJson(text));
    if (!answer.success) throw this.#error('unavailable', method, 'answered something else');
    if ('result' in answer.output) return answer.output.result;
    const { code, message } = answer.output.error;
    const reverted = code === revertCode || /revert/i.test(message);
    throw this.#error(
      reverted ? 'invalid' : 'unavailable',
      method,
      reverted ? 'reverted' : `failed with code ${code}`,
    );
  }

  async #exchange(body: string, method: string): Promise<string> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body,
        // a configured node must not be able to send us to an address inside
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      // some nodes answer JSON-RPC errors with another status; the envelope decides
      return await readBounded(response);
    } catch (error) {
      // messages of fetch name the URL on some runtimes
      throw this.#error('unavailable', method, error instanceof Error ? error.name : 'failed');
    }
  }

  #error(kind: 'unavailable' | 'invalid', method: string, what: string): EvmChainError {
    return new EvmChainError(kind, `${method} on chain ${this.#chainId}: ${what}`);
  }
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // leaving the loop cancels the rest
    if (size > evmLimits.rpcResponseBytes) throw new RangeError('the answer is too long');
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
