/** Entry of a computation thread: one operation a message, one answer an operation. */
import { parentPort, workerData } from 'node:worker_threads';

import { toErrorRecord } from './errors.ts';
import { createOperations } from './operations.ts';
import { call, packed, type Task, type ThreadData, type ThreadMessage } from './protocol.ts';
import { warmUp } from './warm-up.ts';

if (parentPort === null) throw new Error('this module runs as a worker thread');
const port = parentPort;
const operations = createOperations((workerData as ThreadData).keys);

function reply(message: ThreadMessage, buffers: ArrayBuffer[] = []): void {
  port.postMessage(message, buffers);
}

port.on('message', ({ name, input }: Task) => {
  try {
    const result = call(operations, name, input);
    if (typeof result === 'string') reply({ kind: 'result', value: result });
    else {
      const { value, buffers } = packed(result);
      reply({ kind: 'result', value }, buffers);
    }
  } catch (error) {
    reply({ kind: 'error', error: toErrorRecord(error) });
  }
});

warmUp(operations);
reply({ kind: 'ready' });
