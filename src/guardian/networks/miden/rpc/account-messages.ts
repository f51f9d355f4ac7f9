/**
 * The messages of `rpc.Api/GetAccount`, both directions: Canonry reads them from a Miden node
 * and its development chain writes them.
 *
 * Source: `proto/proto/types/account.proto` of the Miden node.
 *   AccountRequest  { AccountId account_id = 1 }
 *   AccountResponse { BlockNumber block_num = 1; AccountWitness witness = 2 }
 *   AccountWitness  { AccountId account_id = 1; AccountId witness_id = 2; Digest commitment = 3 }
 *   AccountId { bytes id = 1 }, Digest { fixed64 d0 = 1; d1 = 2; d2 = 3; d3 = 4 }
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

import { P } from '../field.ts';
import {
  bytesField,
  concatBytes,
  fixed64Field,
  readFields,
  requiredBytes,
  WireFormatError,
} from './protobuf.ts';

export const GET_ACCOUNT_PATH = '/rpc.Api/GetAccount';

const ACCOUNT_ID_BYTES = 15;
const ZERO_COMMITMENT = `0x${'0'.repeat(64)}`;

/** @param accountId `0x` + 30 hex digits. */
export function encodeAccountRequest(accountId: string): Uint8Array {
  return bytesField(1, encodeAccountId(accountId));
}

/** @throws WireFormatError when the message names no account. */
export function decodeAccountRequest(request: Uint8Array): string {
  return decodeAccountId(requiredBytes(request, 1, 'account_id'));
}

/** @param commitment `0x` + 64 hex digits, or null for an account that is not on chain. */
export function encodeAccountResponse(accountId: string, commitment: string | null): Uint8Array {
  const id = encodeAccountId(accountId);
  const witness = concatBytes(
    bytesField(1, id),
    bytesField(2, id),
    bytesField(3, encodeDigest(commitment ?? ZERO_COMMITMENT)),
  );
  return bytesField(2, witness);
}

/**
 * The commitment that the witness proves for `accountId`, or null when it proves that the
 * account is absent: a zero commitment, or the leaf belongs to another account with the same
 * prefix (`witness_id` names that one, and the commitment is not ours).
 * @throws WireFormatError when the response does not answer for this account.
 */
export function decodeAccountCommitment(response: Uint8Array, accountId: string): string | null {
  const witness = requiredBytes(response, 2, 'witness');
  if (decodeAccountId(requiredBytes(witness, 1, 'witness.account_id')) !== accountId) {
    throw new WireFormatError('the witness answers for another account');
  }
  const commitment = decodeDigest(requiredBytes(witness, 3, 'witness.commitment'));
  const witnessId = decodeAccountId(requiredBytes(witness, 2, 'witness.witness_id'));
  return witnessId !== accountId || commitment === ZERO_COMMITMENT ? null : commitment;
}

function encodeAccountId(accountId: string): Uint8Array {
  return bytesField(1, hexToBytes(accountId.slice(2)));
}

function decodeAccountId(message: Uint8Array): string {
  const id = requiredBytes(message, 1, 'account id');
  if (id.length !== ACCOUNT_ID_BYTES) throw new WireFormatError('an account id is not 15 bytes');
  return `0x${bytesToHex(id)}`;
}

function encodeDigest(commitment: string): Uint8Array {
  const bytes = hexToBytes(commitment.slice(2));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return concatBytes(
    ...[0, 1, 2, 3].map((i) => fixed64Field(i + 1, view.getBigUint64(i * 8, true))),
  );
}

function decodeDigest(message: Uint8Array): string {
  const digest = new Uint8Array(32);
  const seen = new Set<number>();
  for (const { number, type, value } of readFields(message)) {
    if (number > 4) continue;
    if (type !== 'fixed64') throw new WireFormatError('a digest element has the wrong type');
    if (seen.has(number)) throw new WireFormatError('a digest element is repeated');
    if (new DataView(value.buffer, value.byteOffset).getBigUint64(0, true) >= P) {
      throw new WireFormatError('a digest element is not a field element');
    }
    seen.add(number);
    digest.set(value, (number - 1) * 8);
  }
  return `0x${bytesToHex(digest)}`;
}
