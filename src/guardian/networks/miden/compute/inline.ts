/** The operations on the calling thread. */
import type { AckKeys } from '../../../acknowledgement/ack-keys.ts';
import type { Compute } from './compute.ts';
import { createOperations } from './operations.ts';
import { call } from './protocol.ts';

export function inlineCompute(keys: AckKeys): Compute {
  const operations = createOperations(keys);
  return {
    run: async (name, input) => call(operations, name, input),
    close: async () => undefined,
  };
}
