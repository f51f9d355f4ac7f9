/** One operation on its way through the pool. */
import { ComputeFailedError, ComputeOverloadError } from './errors.ts';
import type { Task } from './protocol.ts';

export class Job {
  readonly task: Task;
  /** Of the task's input. */
  readonly buffers: ArrayBuffer[];
  /** Position in the order of arrival. */
  readonly order: number;
  /** Settles when the operation has; never rejects by itself into nowhere. */
  readonly outcome: Promise<unknown>;
  readonly #settle: PromiseWithResolvers<unknown>;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(task: Task, buffers: ArrayBuffer[], order: number) {
    this.task = task;
    this.buffers = buffers;
    this.order = order;
    this.#settle = Promise.withResolvers();
    this.outcome = this.#settle.promise;
  }

  /** Calls `expired` after `ms` unless the job settles or another bound replaces this one. */
  bound(ms: number, expired: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(expired, ms);
  }

  succeed(value: unknown): void {
    clearTimeout(this.#timer);
    this.#settle.resolve(value);
  }

  fail(error: Error): void {
    clearTimeout(this.#timer);
    this.#settle.reject(error);
  }

  failWaiting(ms: number): void {
    this.fail(new ComputeOverloadError(`no thread was free within ${String(ms)} ms`));
  }

  failRunning(reason: string): void {
    this.fail(new ComputeFailedError(`${this.task.name}: ${reason}`));
  }
}
