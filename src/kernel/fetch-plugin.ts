import type { GraphileConfig } from 'graphile-config';
import { nextFetchSize } from './fetch-size.ts';

/** graphile-worker's own field. It has a setting for it, but none for a pool that runs. */
interface FetchSize {
  getJobBatchSize: number;
}

/**
 * Lets a pool fetch more wake-ups at a time while fetching is what it spends its time on.
 *
 * A fetch locks every free queue row, so with a queue name for each account it costs as much as
 * there are accounts with work: 4 µs each, 0.4 s at 100 000. Fetching 20 at a time would then
 * take all the time there is; fetching 1 000 at a time would leave other workers idle when the
 * work is little. So the size follows the cost: it doubles after a full fetch that took more
 * than a tenth of the time its jobs took, as long as the jobs take less than a second, and falls
 * back to the smallest after a fetch that was not full.
 *
 * @param smallest one more than the jobs that run at the same time, so that a full fetch is one
 * that leaves something waiting.
 */
export function fetchSizePlugin(smallest: number): GraphileConfig.Plugin {
  let listening = false;
  let askedAt = 0;
  let answeredAt = 0;
  let fetchMs = 0;
  let full = false;
  return {
    name: 'CanonryFetchSizePlugin',
    version: '1.0.0',
    worker: {
      hooks: {
        startWorker(ctx) {
          if (listening) return;
          listening = true;
          ctx.events.on('localQueue:setMode', ({ localQueue, newMode }) => {
            if (newMode !== 'POLLING') return;
            askedAt = performance.now();
            const queue = localQueue as unknown as FetchSize;
            const worked = askedAt - answeredAt;
            queue.getJobBatchSize = full
              ? nextFetchSize(queue.getJobBatchSize, fetchMs, worked, smallest)
              : smallest;
          });
          ctx.events.on('localQueue:getJobs:complete', ({ localQueue, jobs }) => {
            answeredAt = performance.now();
            fetchMs = answeredAt - askedAt;
            askedAt = answeredAt;
            full = jobs.length >= (localQueue as unknown as FetchSize).getJobBatchSize;
          });
        },
      },
    },
  };
}
