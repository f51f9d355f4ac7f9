import { setTimeout as sleep } from 'node:timers/promises';
import { kernelLimits } from '../limits.ts';
import { errorFields, type Log } from '../observability/log.ts';
import type { Worker } from './worker.ts';

/**
 * Starts a worker again whenever it ends by itself: the job engine gives its pool up for good after
 * one lost completion, which every restart of the database causes. While the database is away the
 * starts fail, and are tried again.
 *
 * @throws whatever keeps the first worker from starting: that is for a person.
 */
export async function superviseWorker(
  start: () => Promise<Worker>,
  log: Log,
): Promise<Pick<Worker, 'stop'>> {
  const stopping = new AbortController();
  let worker: Worker | undefined = await start();
  const supervision = (async () => {
    while (!stopping.signal.aborted) {
      await Promise.race([worker?.ended.catch(() => {}), aborted(stopping.signal)]);
      if (stopping.signal.aborted) return;
      await sleep(kernelLimits.workerRestartMs, undefined, stopping).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        worker = await start();
        log.info('worker started again');
      } catch (error) {
        worker = undefined;
        log.warn(errorFields(error), 'the worker does not start yet');
      }
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await supervision;
      await worker?.stop();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
