/** A computation thread with faults, chosen by the account id of a request. */
import process from 'node:process';
import { parentPort, threadId } from 'node:worker_threads';

import type { Task } from '../../../../../src/guardian/networks/miden/compute/protocol.ts';

const port = parentPort!;

port.on('message', ({ input }: Task) => {
  const fault = 'accountId' in input ? input.accountId : 'none';
  switch (fault) {
    case 'exit':
      process.exit(3);
      break;
    case 'throw':
      throw new Error('a fault outside of any operation');
    case 'loop':
      for (;;);
    default:
      setTimeout(() => {
        port.postMessage({ kind: 'result', value: `${fault} on ${String(threadId)}` });
      }, Number(fault));
  }
});

port.postMessage({ kind: 'ready' });
