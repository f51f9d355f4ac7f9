import { UnverifiableError } from '../../network.ts';
import type { Account } from '../account/account.ts';
import { indexKey, mapOf, multisigSlots, valueOf } from '../account/multisig.ts';
import { parseAccount } from '../codec/account.ts';
import { compareSlotNames } from '../codec/slot-name.ts';
import { type Word, wordFromHex, ZERO_WORD } from '../word.ts';
import { serializeSummary } from './codec.ts';
import type { Binding, SlotChange } from './summary.ts';

interface SummaryPlan {
  /** The multisig account to change, serialized. */
  state: Uint8Array;
  /** Key commitment of a further signer, of the first signer's scheme. */
  addSigner?: string;
  /** Signatures needed from now on. */
  threshold?: number;
  /** Key commitment of another guardian, of the same scheme. */
  guardian?: string;
  /** Tells summaries apart that do the same. */
  salt: bigint;
}

function buildBinding(account: Account, salt: bigint): Binding {
  const { protocol } = account.code;
  const word: Word = [salt, 0n, 0n, 0n];
  if (protocol === '0.15') return { protocol, salt: word };
  const userParameters = [...word, 0n, 0n, 0n];
  return { protocol, blockCommitment: ZERO_WORD, expirationDelta: 0, userParameters };
}

function buildChanges(account: Account, plan: SummaryPlan): SlotChange[] {
  const slots = multisigSlots(account.code.protocol);
  const config = valueOf(account, slots.thresholdConfig);
  if (config === null) throw new UnverifiableError('the account is not a multisig account');
  const changes: SlotChange[] = [];
  const count = Number(config[1]);
  if (plan.addSigner !== undefined) {
    const scheme = mapOf(account, slots.signerSchemes).get(indexKey(0));
    const key = indexKey(count);
    const signer = wordFromHex(plan.addSigner);
    changes.push({ type: 'map', name: slots.signers, entries: [[key, signer]] });
    changes.push({ type: 'map', name: slots.signerSchemes, entries: [[key, scheme]] });
  }
  if (plan.addSigner !== undefined || plan.threshold !== undefined) {
    const threshold = plan.threshold === undefined ? config[0] : BigInt(plan.threshold);
    const signers = BigInt(plan.addSigner === undefined ? count : count + 1);
    const value: Word = [threshold, signers, 0n, 0n];
    changes.push({ type: 'value', name: slots.thresholdConfig, value });
  }
  if (plan.guardian !== undefined) {
    const entries = [[ZERO_WORD, wordFromHex(plan.guardian)]] as const;
    changes.push({ type: 'map', name: slots.guardianKey, entries });
  }
  return changes.toSorted((a, b) => compareSlotNames(a.name, b.name));
}

/**
 * A serialized transaction summary that a multisig account's cosigners could have made: it does
 * what the plan says, or only raises the nonce, which it always does by one. For the demo, the
 * development chain and tests.
 * @throws UnverifiableError when the state is not a multisig account, or a commitment not a word.
 */
export function buildSummary(plan: SummaryPlan): Uint8Array {
  const account = parseAccount(plan.state);
  return serializeSummary({
    accountId: account.id,
    changes: buildChanges(account, plan),
    nonceDelta: 1n,
    binding: buildBinding(account, plan.salt),
  });
}
