/** The rules of canonicalization, as a table (protocol §4.6). */
import { describe, expect, it } from 'vitest';
import { judge, type Evidence, type Observation } from '../../../src/guardian/deltas/judge.ts';
import { canonicalizationLimits as limits } from '../../../src/limits.ts';

const young: Evidence = {
  retry_count: 0,
  divergence_count: 0,
  abandon_confirm_count: 0,
  age_seconds: 1,
  abandon_age_seconds: null,
};
const old: Evidence = { ...young, age_seconds: limits.graceSeconds };
const abandoned: Evidence = { ...young, abandon_age_seconds: 20 };

const notLanded: Observation = { kind: 'not_landed' };
const diverged: Observation = { kind: 'diverged', commitment: '0x9' };
const unavailable: Observation = { kind: 'chain_unavailable', error: 'no answer' };

describe('canonicalization', () => {
  it('promotes what has landed, also when it was to be abandoned', () => {
    for (const evidence of [young, old, abandoned]) {
      expect(judge({ kind: 'landed', through: 7n }, evidence, true)).toEqual({
        kind: 'promote',
        through: 7n,
      });
    }
  });

  it('waits within the grace period at no cost', () => {
    expect(judge(notLanded, { ...young, divergence_count: 1 }, true)).toMatchObject({
      kind: 'look_again',
      why: 'not_landed',
      retryCount: 0,
      divergenceCount: 0,
    });
  });

  it('counts looks after the grace period and gives up at the last', () => {
    expect(judge(notLanded, old, true)).toMatchObject({ kind: 'look_again', retryCount: 1 });
    const last = { ...old, retry_count: limits.maxRetries - 1 };
    expect(judge(notLanded, last, true)).toEqual({
      kind: 'give_up',
      status: 'retained',
      reason: 'retry_exhausted',
    });
    expect(judge(notLanded, last, false)).toMatchObject({ status: null });
  });

  it('takes a node that lags for no evidence at all', () => {
    const evidence = { ...old, ...abandoned, retry_count: limits.maxRetries - 1 };
    const confirmed = { ...evidence, divergence_count: 1, abandon_confirm_count: 5 };
    for (const before of [evidence, confirmed]) {
      expect(judge({ kind: 'node_behind' }, before, true)).toMatchObject({
        kind: 'look_again',
        why: 'node_behind',
        retryCount: limits.maxRetries - 1,
        divergenceCount: 0,
        abandonConfirmCount: 0,
      });
    }
  });

  it('believes a divergence only when it is seen twice in a row', () => {
    expect(judge(diverged, young, true)).toMatchObject({ kind: 'look_again', divergenceCount: 1 });
    expect(judge(diverged, { ...young, divergence_count: 1 }, true)).toEqual({
      kind: 'give_up',
      status: 'retained',
      reason: 'diverged',
    });
  });

  it('lets the looks that confirm a divergence lie as far apart as upstream does', () => {
    const first = { kind: 'look_again', notSoonerThanSeconds: 10 };
    expect(judge(diverged, young, true)).toMatchObject(first);
    // a request to abandon makes the head due at once: that look confirms nothing
    const hurried = { ...abandoned, abandon_age_seconds: 1, divergence_count: 1 };
    expect(judge(diverged, hurried, true)).toMatchObject({ ...first, divergenceCount: 1 });
    expect(judge(notLanded, young, true)).toMatchObject({ notSoonerThanSeconds: 0 });
  });

  it('takes no error of the node as evidence', () => {
    for (const evidence of [{ ...old, retry_count: limits.maxRetries - 1 }, abandoned]) {
      expect(judge(unavailable, { ...evidence, divergence_count: 1 }, true)).toMatchObject({
        kind: 'look_again',
        why: 'chain_unavailable',
        error: 'no answer',
        retryCount: evidence.retry_count,
        divergenceCount: 1,
        abandonConfirmCount: evidence.abandon_confirm_count,
      });
    }
  });

  it('discards an abandoned delta after the quarantine and two looks, never retains it', () => {
    const early = { ...abandoned, abandon_age_seconds: 5, abandon_confirm_count: 5 };
    expect(judge(notLanded, early, true)).toMatchObject({
      kind: 'look_again',
      notLaterThanSeconds: 10,
    });
    expect(judge(notLanded, abandoned, true)).toMatchObject({
      kind: 'look_again',
      abandonConfirmCount: 1,
    });
    const discarded = { kind: 'give_up', status: 'discarded', reason: 'client_abandoned' };
    expect(judge(notLanded, { ...abandoned, abandon_confirm_count: 1 }, true)).toEqual(discarded);
    expect(judge(diverged, { ...abandoned, divergence_count: 1 }, true)).toEqual(discarded);
    expect(judge(diverged, { ...abandoned, abandon_confirm_count: 1 }, true)).toMatchObject({
      kind: 'look_again',
      abandonConfirmCount: 0,
    });
  });
});
