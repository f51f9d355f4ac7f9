import { createHmac } from 'node:crypto';
import { ServiceError } from '../../errors.ts';
import { open, seal, SealedDataError, type StorageKeys } from './envelope.ts';

/**
 * The form in which account data is stored: as it is, or encrypted. Everything that reads or writes
 * a state or a payload column goes through here. Texts are JSON texts.
 *
 * Opening throws ServiceError `account_data_unavailable`, whose cause says why and holds no data.
 */
export interface AccountStorage {
  /** Bytes that a stored document of this length takes. */
  storedBytes(length: number): number;
  sealState(accountId: string, state: Uint8Array): Uint8Array;
  openState(accountId: string, stored: Uint8Array): Uint8Array;
  /** @param data what an identical re-submission has in common: the summary, in base64. */
  sealDelta(accountId: string, nonce: bigint, payload: string, data: string): string;
  openDelta(accountId: string, nonce: bigint, stored: string): string;
  sealProposal(accountId: string, commitment: string, payload: string): string;
  openProposal(accountId: string, commitment: string, stored: string): string;
  /**
   * JSON text of a proposal's metadata, from what submit_delta keeps of the proposal: that, or the
   * sealed proposal as a whole.
   */
  openMetadata(accountId: string, commitment: string, stored: string): string;
}

/** Without encryption. */
export const clearStorage: AccountStorage = {
  storedBytes: (length) => length,
  sealState: (_accountId, state) => state,
  openState: (_accountId, stored) => stored,
  sealDelta: (_accountId, _nonce, payload) => payload,
  openDelta: (_accountId, _nonce, stored) => stored,
  sealProposal: (_accountId, _commitment, payload) => payload,
  openProposal: (_accountId, _commitment, stored) => stored,
  openMetadata: (_accountId, _commitment, stored) => stored,
};

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/**
 * With encryption (protocol dossier §7).
 * @param initialKey the key the store was first encrypted with.
 */
export function encryptedStorage(keys: StorageKeys, initialKey: Uint8Array): AccountStorage {
  const fingerprintKey = createHmac('sha256', initialKey).update('canonry fingerprint').digest();
  const opened = (context: string, stored: string): Uint8Array => {
    try {
      return open(keys, context, stored);
    } catch (cause) {
      if (!(cause instanceof SealedDataError)) throw cause;
      throw new ServiceError('account_data_unavailable', undefined, { cause });
    }
  };
  const stateOf = (accountId: string) => `state:${accountId}`;
  const deltaOf = (accountId: string, nonce: bigint) => `delta:${accountId}:${nonce}`;
  const proposalOf = (accountId: string, commitment: string) =>
    `proposal:${accountId}:${commitment}`;
  const openProposal = (accountId: string, commitment: string, stored: string) =>
    textOf(opened(proposalOf(accountId, commitment), stored));
  return {
    // base64, and the rest of an envelope
    storedBytes: (length) => Math.ceil(length / 3) * 4 + 256,
    sealState: (accountId, state) => bytesOf(JSON.stringify(seal(keys, stateOf(accountId), state))),
    openState: (accountId, stored) => opened(stateOf(accountId), textOf(stored)),
    sealDelta(accountId, nonce, payload, data) {
      const context = deltaOf(accountId, nonce);
      const sealed = seal(keys, context, bytesOf(payload));
      // the same payload sealed again is another text: submit_delta tells the two alike by this
      const fingerprint = createHmac('sha256', fingerprintKey).update(`${context}\n${data}`);
      return JSON.stringify({ ...sealed, fingerprint: fingerprint.digest('base64') });
    },
    openDelta: (accountId, nonce, stored) => textOf(opened(deltaOf(accountId, nonce), stored)),
    sealProposal: (accountId, commitment, payload) =>
      JSON.stringify(seal(keys, proposalOf(accountId, commitment), bytesOf(payload))),
    openProposal,
    openMetadata: (accountId, commitment, stored) =>
      metadataOf(openProposal(accountId, commitment, stored)),
  };
}

/** What guardian.proposal_metadata does where it can read a proposal. */
function metadataOf(payload: string): string {
  // numbers beyond a double are of no use to the readers of metadata
  const { metadata } = JSON.parse(payload) as { metadata?: unknown };
  return JSON.stringify(metadata ?? null);
}
