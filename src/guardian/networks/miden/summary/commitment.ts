import { hashElements } from '../hash/poseidon2.ts';
import { type Word, ZERO_WORD } from '../word.ts';
import type { SlotChange, TransactionSummary } from './summary.ts';

/** Domains of the parts of a delta commitment; 0.16 renumbered them and added the operation. */
const DOMAINS_15 = { header: 0n, value: 2n, map: 3n, operation: 0n };
const DOMAINS_16 = { header: 1n, value: 5n, map: 6n, operation: 1n };

/** No notes: the commitment to an empty list is the zero word. */
const NO_NOTES = ZERO_WORD;

function changeElements(change: SlotChange, domains: typeof DOMAINS_15): bigint[] {
  const { idSuffix, idPrefix } = change.name;
  if (change.type === 'value') {
    return [domains.value, domains.operation, idSuffix, idPrefix, ...change.value];
  }
  // The trailer follows the entries, so that their number need not be known in advance.
  const trailer = [domains.map, BigInt(change.entries.length), idSuffix, idPrefix];
  return [...change.entries.flat(2), ...trailer, domains.operation, 0n, 0n, 0n];
}

function deltaCommitment(summary: TransactionSummary): Word {
  const { accountId, nonceDelta, changes, binding } = summary;
  const is15 = binding.protocol === '0.15';
  const domains = is15 ? DOMAINS_15 : DOMAINS_16;
  return hashElements([
    ...(is15 ? [nonceDelta, domains.header] : [domains.header, nonceDelta]),
    accountId.suffix,
    accountId.prefix,
    ...ZERO_WORD,
    ...changes.flatMap((change) => changeElements(change, domains)),
  ]);
}

/**
 * What cosigners and the guardian sign, and the key under which the account remembers that the
 * transaction ran.
 *
 * Published deltas pin everything but the order of salt (0.15), block commitment, expiration and
 * user parameters (0.16): these are zero in all of them. Their order here is that of the protocol
 * source; refusing non-zero ones would refuse every real summary, as each has a salt.
 */
export function summaryCommitment(summary: TransactionSummary): Word {
  const { binding } = summary;
  const bound =
    binding.protocol === '0.15'
      ? binding.salt
      : [...binding.blockCommitment, BigInt(binding.expirationDelta), ...binding.userParameters];
  return hashElements([...deltaCommitment(summary), ...NO_NOTES, ...NO_NOTES, ...bound]);
}
