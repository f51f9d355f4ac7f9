/** The operations with what they keep between calls: decoded keys and recent accounts. */
import type { AckKeys } from '../../../acknowledgement/ack-keys.ts';
import { acknowledger } from '../../../acknowledgement/acknowledge.ts';
import {
  signerOfRequest,
  verifyLookup,
  verifyMessage,
  verifyRequest,
} from '../../../authentication/verify-request.ts';
import { AccountCache, applyDelta, inspectAccount, mergeDeltas } from '../account/engine.ts';
import { describeSummaries } from '../summary/describe.ts';
import type { Operations } from './compute.ts';

/** @throws FalconEncodingError or Error when a key is not one. */
export function createOperations(keys: AckKeys): Operations {
  const accounts = new AccountCache();
  const acknowledge = acknowledger(keys);
  return {
    verifyRequest,
    signerOfRequest,
    verifyMessage,
    verifyLookup,
    mergeDeltas: (input) => mergeDeltas(input, accounts),
    describeSummaries: ({ summaries }) => ({ described: describeSummaries(summaries) }),
    inspectAccount: ({ state, origin }) => inspectAccount(state, accounts, origin),
    applyDelta: (input) => applyDelta(input, accounts),
    acknowledge: ({ scheme, summaryCommitment }) => acknowledge(scheme, summaryCommitment),
    applyAndAcknowledge: ({ scheme, ...input }) => {
      const applied = applyDelta(input, accounts);
      return { ...applied, acknowledgement: acknowledge(scheme, applied.summaryCommitment) };
    },
  };
}
