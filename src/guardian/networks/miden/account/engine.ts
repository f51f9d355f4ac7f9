/**
 * Guardian's view of Miden accounts: pure, synchronous computation, meant for worker threads.
 * Accounts and summaries are parsed strictly; what is not verified is refused, never guessed.
 */
import { createHash } from 'node:crypto';
import { type AppliedDelta, type InspectedAccount, UnverifiableError } from '../../network.ts';
import { type AccountOrigin, parseAccount, serializeAccount } from '../codec/account.ts';
import { parseSummary, serializeSummary } from '../summary/codec.ts';
import { summaryCommitment } from '../summary/commitment.ts';
import { mergeSummaries } from '../summary/merge.ts';
import { wordToHex } from '../word.ts';
import { applyToAccount } from './apply.ts';
import { AccountCache, type KnownAccount } from './cache.ts';
import { accountCommitment } from './commitment.ts';
import { multisigFacts } from './multisig.ts';

export { AccountCache };

function identify(state: Uint8Array): string {
  return createHash('sha256').update(state).digest('base64');
}

function load(state: Uint8Array, cache: AccountCache, origin: AccountOrigin): KnownAccount {
  const identity = identify(state);
  const seen = cache.get(identity);
  if (seen !== undefined) return seen;
  const account = parseAccount(state, origin);
  const known: KnownAccount = { account, commitment: accountCommitment(account) };
  cache.set(identity, known);
  return known;
}

function inspect({ account, commitment }: KnownAccount): InspectedAccount {
  const { signers, threshold, guardian } = multisigFacts(account);
  return {
    accountId: account.id.text,
    commitment: wordToHex(commitment),
    nonce: account.nonce,
    protocol: account.code.protocol,
    signerCommitments: signers.map(wordToHex),
    threshold,
    guardianCommitment: guardian === null ? null : wordToHex(guardian),
  };
}

/**
 * Reads the facts out of a serialized account.
 * @throws UnverifiableError when the bytes are not an account that can be verified.
 */
export function inspectAccount(
  state: Uint8Array,
  cache = new AccountCache(),
  origin: AccountOrigin = 'derived',
): InspectedAccount {
  return inspect(load(state, cache, origin));
}

/**
 * Applies a transaction summary to a serialized account, with what the account's authentication
 * adds on chain.
 *
 * The `nonce` of a Guardian delta is not looked at: it is the client's own number, not the
 * account's counter.
 * @param input `accountId` is `0x` and 30 lower-case hex digits; state and summary are the decoded
 *   bytes.
 * @param cache spares parsing and hashing what did not change since the last call.
 * @throws UnverifiableError when state or summary cannot be verified, are of different accounts, or
 *   do not fit together.
 */
export function applyDelta(
  input: { accountId: string; state: Uint8Array; summary: Uint8Array },
  cache = new AccountCache(),
): AppliedDelta {
  // the stored state was checked when the account was configured
  const { account } = load(input.state, cache, 'any');
  if (account.id.text !== input.accountId) {
    throw new UnverifiableError(`the state is of account ${account.id.text}`);
  }
  const summary = parseSummary(input.summary, account.code.protocol);
  if (summary.accountId.text !== input.accountId) {
    throw new UnverifiableError(`the summary names account ${summary.accountId.text}`);
  }
  const commitment = summaryCommitment(summary);
  const result = applyToAccount(account, summary, commitment);
  const state = serializeAccount(result);
  const known: KnownAccount = { account: result, commitment: accountCommitment(result) };
  cache.set(identify(state), known);
  return { summaryCommitment: wordToHex(commitment), account: inspect(known), state };
}

/**
 * One serialized summary with the effect of several of the account, in order.
 * @param input `state` tells the protocol; `summaries` at least one.
 * @throws UnverifiableError when one of them cannot be read.
 */
export function mergeDeltas(
  input: { state: Uint8Array; summaries: readonly Uint8Array[] },
  cache = new AccountCache(),
): Uint8Array {
  const { account } = load(input.state, cache, 'any');
  const [first, ...rest] = input.summaries.map((bytes) =>
    parseSummary(bytes, account.code.protocol),
  );
  if (first === undefined) throw new UnverifiableError('there is nothing to merge');
  return serializeSummary(mergeSummaries([first, ...rest]));
}
