/**
 * The checker on hand-made histories: what waits and why, what a person does, planned stops, and runs
 * that show nothing.
 */
import { expect, it } from 'vitest';
import { judge } from './campaign.ts';
import {
  candidate,
  candidateStep,
  deltaStep,
  expectations,
  goodRun,
  kindsOf,
  life,
  line,
  lineStep,
  type Step,
} from './hand-made.ts';

/** A look at the second delta that the chain did not answer, by the holder of its line. */
const unanswered = (failures = 0): Step =>
  candidateStep('look', 215, 2, candidate('waiting'), {
    ...candidate('waiting', 1),
    why: 'chain_unavailable',
    failures,
  });
const withLook = (...steps: Step[]) =>
  kindsOf(goodRun([...life(1, 100), ...life(2, 200).toSpliced(3, 0, ...steps)]));

it('has nothing to say about an outage that counted for nothing', () => {
  expect(withLook(unanswered())).toEqual([]);
});

it.each([
  ['retry', [1, 0, 0]],
  ['divergence', [0, 1, 0]],
  ['confirmation', [0, 0, 1]],
])('notices an outage of the chain that was counted as a %s', (_what, evidence) => {
  const counted = deltaStep('look', 215, 2, 'candidate', 'candidate');
  if (counted.change.relation === 'delta') counted.change.after!.evidence = evidence;
  expect(withLook(unanswered(), counted)).toEqual(['evidence']);
});

it('notices an outage of the chain that was taken for a failure', () => {
  expect(withLook(unanswered(1))).toEqual(['evidence']);
});

it('notices that halted candidates and failed jobs disagree', () => {
  const hidden: Step = {
    tx: 'x',
    at: 250,
    change: { relation: 'marker', key: '1', before: null, after: null },
  };
  expect(kindsOf(goodRun([...life(1, 100), ...life(2, 200), hidden]))).toEqual(['marker']);
});

it('takes the retry of a person for what it is, and only that', () => {
  const retry = (why: string, tx: string) => [
    lineStep('retry', 212, line(2, 'pool', 210), line(3, null)),
    candidateStep(tx, 212, 2, candidate('halted'), { ...candidate('waiting'), why }),
    lineStep('c2b', 214, line(3, null), line(4, 'pool', 214)),
  ];
  expect(withLook(...retry('retried', 'retry'))).toEqual([]);
  expect(withLook(...retry('retried', 'another'))).toEqual(['fence']);
  expect(
    withLook(...retry('submitted', 'retry').map((step) => ({ ...step, writer: 'postgres' }))),
  ).toEqual(['fence']);
});

it('notices a run in which nothing happened', () => {
  const idle = { ...goodRun(), events: [], changes: [] };
  idle.final = { deltas: [], accounts: [], unresolved: [], leftovers: [] };
  expect(kindsOf(idle)).toEqual(['idle']);
});

it('takes a planned stop that went wrong for one', () => {
  const record = { ...goodRun(), schedule: [], output: '', complaints: ['a line is held'] };
  expect(judge(record, expectations).violations.map(({ kind }) => kind)).toEqual(['handover']);
});
