/**
 * Runs operations on worker threads, so that the event loop keeps answering: signatures and
 * account commitments take from half a millisecond to seconds.
 */
import { availableParallelism } from 'node:os';

import type { AckKeys } from '../../../acknowledgement/ack-keys.ts';
import { computeLimits } from '../../../../limits.ts';
import type { Compute, OperationName, Operations } from './compute.ts';
import { ComputeFailedError, ComputeOverloadError } from './errors.ts';
import { inlineCompute } from './inline.ts';
import { Job } from './job.ts';
import { packed, type Task } from './protocol.ts';
import { JobQueue } from './queue.ts';
import { ThreadHandle } from './thread-handle.ts';

export interface ComputePoolOptions {
  keys: AckKeys;
  /**
   * By default one less than the cores, at least one and at most `computeLimits.threads`. With 0
   * the work is done on the calling thread: for tests and for commands that run once.
   */
  threads?: number;
  /** By default `computeLimits.operationMs`. */
  operationMs?: number;
  /** By default `computeLimits.queuedOperations`. */
  queuedOperations?: number;
  /** Module of a thread; tests put faults in its place. */
  entry?: URL;
}

/**
 * Starts the threads and returns when all are warm.
 * @throws ComputeFailedError when one cannot start.
 */
export async function startComputePool(options: ComputePoolOptions): Promise<Compute> {
  if (options.threads === 0) return inlineCompute(options.keys);
  const pool = new ComputePool(options);
  await pool.started();
  return pool;
}

function defaultThreads(): number {
  return Math.min(computeLimits.threads, Math.max(1, availableParallelism() - 1));
}

class ComputePool implements Compute {
  readonly #keys: AckKeys;
  readonly #entry: URL;
  readonly #operationMs: number;
  readonly #queuedOperations: number;
  readonly #queue: JobQueue;
  readonly #threads: (ThreadHandle | null)[];
  readonly #unsettled = new Set<Promise<unknown>>();
  readonly #starting = Promise.withResolvers<void>();
  #open = true;
  #stopped = false;
  #submitted = 0;

  constructor(options: ComputePoolOptions) {
    this.#keys = options.keys;
    this.#entry = options.entry ?? new URL('./thread.ts', import.meta.url);
    this.#operationMs = options.operationMs ?? computeLimits.operationMs;
    this.#queuedOperations = options.queuedOperations ?? computeLimits.queuedOperations;
    const count = options.threads ?? defaultThreads();
    this.#queue = new JobQueue(count);
    this.#threads = Array.from({ length: count }, () => null);
    for (let i = 0; i < count; i += 1) this.#startThread(i);
  }

  async started(): Promise<void> {
    try {
      await this.#starting.promise;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async run<Name extends OperationName>(
    name: Name,
    input: Parameters<Operations[Name]>[0],
  ): Promise<ReturnType<Operations[Name]>> {
    if (!this.#open) throw new ComputeFailedError('the pool is closed');
    if (this.#queue.length >= this.#queuedOperations) {
      throw new ComputeOverloadError(`${String(this.#queuedOperations)} operations are waiting`);
    }
    const { value, buffers } = packed(input);
    const job = new Job({ name, input: value }, buffers, this.#submitted++);
    job.bound(this.#operationMs, () => {
      this.#queue.remove(job);
      job.failWaiting(this.#operationMs);
    });
    this.#queue.add(job, accountOf(job.task));
    this.#dispatch();
    this.#unsettled.add(job.outcome);
    try {
      return (await job.outcome) as ReturnType<Operations[Name]>;
    } finally {
      this.#unsettled.delete(job.outcome);
    }
  }

  async close(): Promise<void> {
    this.#open = false;
    await Promise.allSettled(this.#unsettled);
    this.#stopped = true;
    await Promise.all(this.#threads.map((thread) => thread?.stop()));
  }

  #dispatch(): void {
    this.#threads.forEach((thread, i) => {
      if (!thread?.idle) return;
      const job = this.#queue.take(i);
      if (job !== undefined) thread.start(job, this.#operationMs);
    });
  }

  #startThread(i: number): void {
    if (this.#stopped) return;
    this.#threads[i] = new ThreadHandle(
      this.#entry,
      { keys: this.#keys },
      {
        idle: () => {
          if (this.#threads.every((thread) => thread?.idle)) this.#starting.resolve();
          this.#dispatch();
        },
        gone: (ready, reason) => {
          this.#threads[i] = null;
          this.#starting.reject(new ComputeFailedError(`a thread could not start: ${reason}`));
          // One that never got ready would die again at once.
          setTimeout(
            () => {
              this.#startThread(i);
            },
            ready ? 0 : computeLimits.restartDelayMs,
          ).unref();
        },
      },
    );
  }
}

/** Applying deltas profits from a warm account; the rest runs wherever there is room. */
function accountOf({ name, input }: Task): string | null {
  const sticky = name === 'applyDelta' || name === 'applyAndAcknowledge';
  return sticky && 'accountId' in input ? input.accountId : null;
}
