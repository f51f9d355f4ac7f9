/** What Miden accounts and keys cost: each computation alone, and the API under load. */
import { textWord } from '../../src/guardian/authentication/request-message.ts';
import { decodeBase64 } from '../../src/guardian/accounts/wire.ts';
import type { Account } from '../../src/guardian/networks/miden/account/account.ts';
import { buildAccount } from '../../src/guardian/networks/miden/account/build.ts';
import { accountCommitment } from '../../src/guardian/networks/miden/account/commitment.ts';
import {
  AccountCache,
  applyDelta,
  inspectAccount,
} from '../../src/guardian/networks/miden/account/engine.ts';
import { parseAccount } from '../../src/guardian/networks/miden/codec/account.ts';
import {
  ecdsaCommitments,
  ecdsaPublicKey,
  generateEcdsaKey,
  recoverEcdsaKey,
  signEcdsa,
} from '../../src/guardian/networks/miden/ecdsa.ts';
import { decodeSignature } from '../../src/guardian/networks/miden/falcon/codec.ts';
import {
  decodeSecretKey,
  generateSecretKey,
} from '../../src/guardian/networks/miden/falcon/secret-key.ts';
import { sign as signFalcon } from '../../src/guardian/networks/miden/falcon/sign.ts';
import {
  publicKeyCommitment,
  verifySignature,
} from '../../src/guardian/networks/miden/falcon/verify.ts';
import { buildSummary } from '../../src/guardian/networks/miden/summary/build.ts';
import { type Word, wordToHex } from '../../src/guardian/networks/miden/word.ts';
import { fixtureFolder, readAccountFixture } from '../support/fixtures.ts';
import { measureStall } from './stall.ts';
import { time, type Bench, type Figure } from './report.ts';

interface Subject {
  source: string;
  accountId: string;
  state: Uint8Array;
  summary: Uint8Array;
}

/** The published account with its delta, or one of the same storage layout made here. */
function openSubject(): Subject {
  if (fixtureFolder) {
    const { account, delta } = readAccountFixture('0.16');
    return {
      source: 'the published account of protocol 0.16 and its first delta',
      accountId: account.account_id,
      state: decodeBase64(account.data, 'invalid_input'),
      summary: decodeBase64(delta.delta_payload.data, 'invalid_delta'),
    };
  }
  const keys = Array.from({ length: 3 }, (_, i) => wordToHex([BigInt(i + 1), 0n, 0n, 0n]));
  const state = buildAccount({
    protocol: '0.16',
    signers: keys,
    scheme: 'falcon',
    threshold: 2,
    guardian: wordToHex([9n, 0n, 0n, 0n]),
    salt: 1n,
  });
  const addSigner = wordToHex([4n, 0n, 0n, 0n]);
  return {
    source: 'a synthetic 2-of-3 account and a delta that adds a signer (no fixtures)',
    accountId: inspectAccount(state).accountId,
    state,
    summary: buildSummary({ state, addSigner, salt: 1n }),
  };
}

function accountFigures({ accountId, state, summary }: Subject): Record<string, Figure> {
  const input = { accountId, state, summary };
  const warm = parseAccount(state);
  accountCommitment(warm);
  const fresh = () => new AccountCache();
  const filled = () => {
    const cache = new AccountCache();
    inspectAccount(state, cache);
    return cache;
  };
  return {
    commitment_cold: {
      ...time('account commitment, cold: bytes parsed and every tree hashed', 400, fresh, (cache) =>
        inspectAccount(state, cache),
      ),
      aim_ms: 5,
      aim_of: 'median_ms',
    },
    commitment_one_key: {
      ...time(
        'account commitment after one changed map key, nodes cached',
        400,
        (run) => run,
        (run) => accountCommitment(withOneKey(warm, run)),
      ),
      aim_ms: 1,
      aim_of: 'median_ms',
    },
    delta_cold: time('delta application, cold', 300, fresh, (cache) => applyDelta(input, cache)),
    delta_cached: time('delta application, account cached', 300, filled, (cache) =>
      applyDelta(input, cache),
    ),
  };
}

/** Sets one key of the first map that has entries; trees of the others are shared. */
function withOneKey(account: Account, run: number): Account {
  const at = account.slots.findIndex((slot) => slot.type === 'map' && slot.map.entries.length > 0);
  const slot = account.slots[at];
  if (slot?.type !== 'map') throw new Error('the account has no map with entries');
  const [key] = slot.map.entries[0]!;
  const value: Word = [BigInt(run + 1), 1n, 0n, 0n];
  const slots = account.slots.with(at, { ...slot, map: slot.map.change([[key, value]]) });
  return { ...account, slots };
}

/** Each verification is the whole one of a request: decoding and the key's commitment included. */
function keyFigures(): Record<string, Figure> {
  const falconKey = decodeSecretKey(generateSecretKey());
  const ecdsaKey = generateEcdsaKey();
  const ecdsaName = ecdsaCommitments(ecdsaPublicKey(ecdsaKey));
  const word = (run: number): Word => [BigInt(run), 2n, 3n, 4n];
  const mebibyte = 'x'.repeat(2 ** 20);
  return {
    falcon_verify: time(
      'Falcon verify, with decoding and key commitment',
      300,
      (run) => ({ message: word(run), signature: signFalcon(falconKey, word(run)) }),
      ({ message, signature }) => {
        const decoded = decodeSignature(signature);
        publicKeyCommitment(decoded.publicKey);
        mustHold(verifySignature(message, decoded));
      },
    ),
    falcon_sign: time('Falcon sign', 300, word, (message) => signFalcon(falconKey, message)),
    ecdsa_verify: time(
      'ECDSA verify (key recovery), with key commitment',
      300,
      (run) => ({ message: word(run), signature: signEcdsa(ecdsaKey, word(run)) }),
      ({ message, signature }) => {
        const key = recoverEcdsaKey(message, signature);
        const name = key && ecdsaCommitments(key);
        mustHold(name !== null && wordToHex(name.native) === wordToHex(ecdsaName!.native));
      },
    ),
    rpo_mebibyte: time('RPO of a 1 MiB body', 20, () => mebibyte, textWord),
  };
}

function mustHold(valid: boolean): void {
  if (!valid) throw new Error('a valid signature was refused');
}

export const bench: Bench = async (say) => {
  const subject = openSubject();
  const { slots } = parseAccount(subject.state);
  const entries = slots.map((slot) => (slot.type === 'map' ? slot.map.entries.length : 0));
  say('accounts …');
  const accounts = accountFigures(subject);
  say('keys …');
  const keys = keyFigures();
  say('the API under load …');
  const stall = await measureStall();
  return {
    notes: {
      account: subject.source,
      'state bytes': subject.state.length,
      'map entries': entries.reduce((sum, count) => sum + count, 0),
      ...stall.notes,
    },
    figures: { ...accounts, ...keys, ...stall.figures },
  };
};
