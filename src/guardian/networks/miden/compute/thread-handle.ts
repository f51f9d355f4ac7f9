/** One computation thread, seen from the pool. It runs at most one job at a time. */
import { Worker } from 'node:worker_threads';

import { computeLimits } from '../../../../limits.ts';
import { fromErrorRecord } from './errors.ts';
import type { Job } from './job.ts';
import type { ThreadData, ThreadMessage } from './protocol.ts';

export interface ThreadEvents {
  /** It is ready for a job: after its start, and after each job. */
  idle(): void;
  /** It is gone, and its job has failed. `ready` tells whether it ever was. */
  gone(ready: boolean, reason: string): void;
}

export class ThreadHandle {
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  #ready = false;
  #gone = false;
  #job: Job | null = null;

  constructor(entry: URL, data: ThreadData, events: ThreadEvents) {
    this.#events = events;
    this.#worker = new Worker(entry, {
      name: 'canonry-compute',
      workerData: data,
      // The keys came with the data; a thread needs nothing of the environment.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: computeLimits.threadHeapMb },
    });
    this.#worker.on('message', (message: ThreadMessage) => {
      this.#receive(message);
    });
    this.#worker.on('error', (error) => {
      this.#end(error instanceof Error ? error.message : 'it died');
    });
    this.#worker.on('exit', (code) => {
      this.#end(`it exited with code ${String(code)}`);
    });
  }

  get idle(): boolean {
    return this.#ready && !this.#gone && this.#job === null;
  }

  /** @param limitMs after which the thread is stopped and the job fails. */
  start(job: Job, limitMs: number): void {
    this.#job = job;
    job.bound(limitMs, () => {
      this.#end(`it did not end within ${String(limitMs)} ms`);
      void this.#worker.terminate();
    });
    this.#worker.postMessage(job.task, job.buffers);
  }

  /** Stops it now; a job it has fails. */
  async stop(): Promise<void> {
    this.#end('the pool was closed');
    await this.#worker.terminate();
  }

  #receive(message: ThreadMessage): void {
    if (this.#gone) return;
    const job = this.#job;
    this.#job = null;
    if (message.kind === 'ready') this.#ready = true;
    else if (message.kind === 'result') job?.succeed(message.value);
    else job?.fail(fromErrorRecord(message.error));
    this.#events.idle();
  }

  #end(reason: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#job?.failRunning(`the thread was lost: ${reason}`);
    this.#job = null;
    this.#events.gone(this.#ready, reason);
  }
}
