import { describe, expect, it } from 'vitest';
import { UnverifiableError } from '../../../../../src/guardian/networks/network.ts';
import { buildAccount } from '../../../../../src/guardian/networks/miden/account/build.ts';
import {
  AccountCache,
  applyDelta,
  inspectAccount,
} from '../../../../../src/guardian/networks/miden/account/engine.ts';
import {
  parseAccount,
  serializeAccount,
} from '../../../../../src/guardian/networks/miden/codec/account.ts';
import { readMastForest } from '../../../../../src/guardian/networks/miden/codec/mast-forest.ts';
import { Reader } from '../../../../../src/guardian/networks/miden/codec/reader.ts';
import { buildSummary } from '../../../../../src/guardian/networks/miden/summary/build.ts';
import {
  parseSummary,
  serializeSummary,
} from '../../../../../src/guardian/networks/miden/summary/codec.ts';
import { midenLimits } from '../../../../../src/limits.ts';
import { commitmentOf, planOf, PROTOCOLS } from '../account/plans.ts';
import { randomNumbers } from '../hash/random-elements.ts';
import { forestWithDebugSection } from './debug-forest.ts';

/** Runs `parse`; true when it accepts, false when it refuses in the one way it may. */
function accepts(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(UnverifiableError);
    return false;
  }
}

/** One to three bytes changed, by a flipped bit or to any value. */
function damage(bytes: Uint8Array, next: () => bigint): Uint8Array {
  const damaged = bytes.slice();
  for (let changes = 1 + Number(next() % 3n); changes > 0; changes--) {
    const at = Number(next() % BigInt(bytes.length));
    const value = Number(next() % 256n);
    damaged[at] = next() % 2n === 0n ? value : damaged[at]! ^ (1 << (value & 7));
  }
  return damaged;
}

const DAMAGED = 1_500;

describe.each(PROTOCOLS)('hostile bytes of protocol %s', (protocol) => {
  const state = buildAccount(planOf(protocol, { nonce: 4n }));
  const accountId = inspectAccount(state).accountId;
  const summary = buildSummary({ state, addSigner: commitmentOf(3), threshold: 3, salt: 5n });

  it('an account cut off anywhere is refused', () => {
    for (let length = 0; length < state.length; length++) {
      expect(accepts(() => parseAccount(state.subarray(0, length)))).toBe(false);
    }
  });

  it('a summary cut off anywhere is refused', () => {
    for (let length = 0; length < summary.length; length++) {
      expect(accepts(() => parseSummary(summary.subarray(0, length), protocol))).toBe(false);
    }
  });

  it('a damaged account is refused or is written as it was read', () => {
    const next = randomNumbers(1);
    let accepted = 0;
    for (let i = 0; i < DAMAGED; i++) {
      const bytes = damage(state, next);
      if (!accepts(() => inspectAccount(bytes))) continue;
      accepted++;
      expect(serializeAccount(parseAccount(bytes))).toEqual(bytes);
    }
    expect(accepted).toBeGreaterThan(0);
  });

  it('a damaged summary is refused, or is written as it was read and applies or is refused', () => {
    const next = randomNumbers(2);
    const cache = new AccountCache();
    let accepted = 0;
    for (let i = 0; i < DAMAGED; i++) {
      const bytes = damage(summary, next);
      accepts(() => applyDelta({ accountId, state, summary: bytes }, cache));
      if (!accepts(() => parseSummary(bytes, protocol))) continue;
      accepted++;
      expect(serializeSummary(parseSummary(bytes, protocol))).toEqual(bytes);
    }
    expect(accepted).toBeGreaterThan(0);
  });

  it('every byte of an account may become a giant count without cost', () => {
    const started = performance.now();
    for (let at = 0; at < state.length; at++) {
      const bytes = state.slice();
      bytes.set([0xf8, 0xff, 0xff, 0xff].slice(0, state.length - at), at);
      accepts(() => parseAccount(bytes));
    }
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it('more bytes than an account or a summary may have are not looked at', () => {
    expect(() => parseAccount(new Uint8Array(midenLimits.stateBytes + 1))).toThrow('too large');
    expect(() => parseSummary(new Uint8Array(midenLimits.summaryBytes + 1), protocol)).toThrow(
      'too large',
    );
  });
});

describe('a MAST forest with a debug section', () => {
  const forest = forestWithDebugSection([1n, 2n, 3n, 4n]);

  it('is read over to its end', () => {
    const reader = new Reader(forest, 'test');
    const { bytes, protocol } = readMastForest(reader);
    reader.end();
    expect(bytes).toEqual(forest);
    expect(protocol).toBe('0.15');
  });

  it('is refused when cut off anywhere or damaged', () => {
    for (let length = 0; length < forest.length; length++) {
      const cut = forest.subarray(0, length);
      expect(accepts(() => readMastForest(new Reader(cut, 'test')))).toBe(false);
    }
    const next = randomNumbers(3);
    for (let i = 0; i < DAMAGED; i++) {
      const damaged = damage(forest, next);
      accepts(() => readMastForest(new Reader(damaged, 'test')));
    }
  });
});
