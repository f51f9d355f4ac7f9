/** How looks and resolutions are counted. */
import { expect, it } from 'vitest';
import { judge, type Observation } from '../../../src/guardian/deltas/judge.ts';
import type { DeltaHead } from '../../../src/guardian/deltas/line-writes.ts';
import { countVerdict } from '../../../src/guardian/deltas/outcomes.ts';
import type { Metrics } from '../../../src/observability/metrics.ts';

const head: DeltaHead = {
  line_id: 1n,
  fence: 1n,
  candidate_id: 1n,
  attempts: 0,
  failures: 0,
  due: true,
  nonce: 1n,
  prev_commitment: 'c0',
  candidates: [1n, 2n, 3n],
  results: ['c1', 'c2', 'c3'],
  retry_count: 0,
  divergence_count: 0,
  abandon_confirm_count: 0,
  age_seconds: 1,
  abandon_age_seconds: null,
};
const diverged: Observation = { kind: 'diverged', commitment: 'x' };
const old = { age_seconds: 1e6 };

it.each<[string, Observation, Partial<DeltaHead>, boolean, string | undefined, string, number]>([
  ['a landing', { kind: 'landed', through: 1n }, {}, true, 'promoted', 'canonicalized', 1],
  ['a landing of three', { kind: 'landed', through: 3n }, {}, true, 'promoted', 'canonicalized', 3],
  [
    'a landing of a later one',
    { kind: 'landed', through: 9n },
    {},
    true,
    'promoted',
    'canonicalized',
    4,
  ],
  ['an overtaken one', { kind: 'landed', through: 3n }, {}, true, 'fenced', 'fenced', 1],
  ['a lost base', { kind: 'landed', through: 3n }, {}, true, 'stale_base', 'stale_base', 1],
  ['a young one', { kind: 'not_landed' }, {}, true, undefined, 'grace_deferred', 1],
  ['an old one', { kind: 'not_landed' }, old, true, undefined, 'retried', 1],
  [
    'the last retry',
    { kind: 'not_landed' },
    { ...old, retry_count: 47 },
    true,
    'resolved',
    'retained',
    1,
  ],
  [
    'the same, kept by nobody',
    { kind: 'not_landed' },
    { ...old, retry_count: 47 },
    false,
    'resolved',
    'discarded',
    1,
  ],
  ['one divergence', diverged, {}, true, undefined, 'divergence_deferred', 1],
  ['two', diverged, { divergence_count: 1 }, true, 'resolved', 'diverged', 1],
  [
    'two, withdrawn',
    diverged,
    { divergence_count: 1 },
    true,
    'look_again',
    'divergence_deferred',
    1,
  ],
  [
    'two, abandoned',
    diverged,
    { divergence_count: 1, abandon_age_seconds: 20 },
    true,
    'resolved',
    'abandoned',
    1,
  ],
  [
    'no chain',
    { kind: 'chain_unavailable', error: 'e' },
    old,
    true,
    undefined,
    'chain_unavailable',
    1,
  ],
])('%s', (_, seen, change, retains, written, outcome, times) => {
  const counted: unknown[] = [];
  const metrics: Metrics = {
    count: (name, labels, by = 1) => counted.push([name, labels, by]),
    set() {},
    observe() {},
  };
  const about = { ...head, ...change };
  countVerdict(metrics, about, judge(seen, about, retains), written);
  expect(counted).toEqual([['guardian_canonicalization_candidates_total', { outcome }, times]]);
});
