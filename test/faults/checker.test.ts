/** The checker on hand-made histories: a good one passes, and each kind of wrong is noticed. */
import { describe, expect, it } from 'vitest';
import { check } from './checker.ts';
import {
  account,
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
import type { ClientEvent, Run } from './history.ts';

/** The good run, changed. */
function changed(change: (run: Run) => void): string[] {
  const run = goodRun();
  change(run);
  return kindsOf(run);
}

describe('the checker', () => {
  it('has nothing to say about a good run', () => {
    expect(check(goodRun(), expectations)).toEqual({
      violations: [],
      canonical: 2,
      maxRecoveryMs: 0,
    });
  });

  it('notices an acknowledged delta that is gone', () => {
    expect(changed((run) => run.final.deltas.pop())).toContain('lost');
  });

  it('notices a delta that landed and never became canonical', () => {
    expect(changed((run) => (run.final.deltas[1]!.status = 'retained'))).toEqual(['lost']);
  });

  it('notices a candidate that is unresolved to the end', () => {
    const open = { candidate_id: '3', state: 'waiting', why: 'submitted', last_error: null };
    expect(changed((run) => run.final.unresolved.push(open))).toEqual(['lost']);
  });

  it('notices another acknowledgement than the stored one', () => {
    expect(changed((run) => (run.final.deltas[0]!.ack = 'other'))).toEqual(['durability']);
  });

  it('notices a canonical delta that a client later saw as a candidate', () => {
    const again: ClientEvent = {
      kind: 'observed',
      at: 290,
      account,
      nonce: 1,
      status: 'candidate',
      ack: 'ack1',
    };
    expect(changed((run) => run.events.push(again))).toEqual(['durability']);
  });

  it('notices a delta that nobody sent', () => {
    expect(changed((run) => run.events.splice(4, 4))).toContain('duplicate');
  });

  it('notices a second resolution', () => {
    const twice = candidateStep('again', 250, 1, candidate('finalized'), candidate('finalized'));
    expect(kindsOf(goodRun([...life(1, 100), ...life(2, 200), twice]))).toEqual(['duplicate']);
  });

  it('notices deltas that became canonical out of order', () => {
    expect(kindsOf(goodRun([...life(2, 100), ...life(1, 200)]))).toContain('order');
  });

  it('notices a look at a candidate that is not the head of its line', () => {
    const run = goodRun();
    const look = run.changes.find(
      ({ relation, txid }) => relation === 'candidate' && txid === 'p2',
    );
    if (look?.relation === 'candidate') look.head = false;
    expect(kindsOf(run)).toEqual(['order']);
  });

  it.each(['account', 'candidate', 'delta'] as const)(
    'notices a promotion without its %s',
    (relation) => {
      const run = goodRun();
      run.changes = run.changes.filter(
        (change) => !(change.txid === 'p2' && change.relation === relation),
      );
      expect(kindsOf(run)).toContain('partial');
    },
  );

  it('notices a promotion that is spread over two transactions', () => {
    const run = goodRun();
    for (const change of run.changes) {
      if (change.txid === 'p2' && change.relation === 'account') change.txid = 'p2b';
    }
    expect(kindsOf(run)).toEqual(['partial']);
  });

  it('notices a write of somebody who did not hold the line', () => {
    const run = goodRun();
    for (const change of run.changes) {
      if (change.txid === 'p2') change.writer = 'worker_2';
    }
    expect(kindsOf(run)).toEqual(['fence']);
  });

  it('notices a claim of a line that is held', () => {
    const stolen = lineStep('c2b', 215, line(2, 'pool', 210), line(3, 'pool', 215));
    const [submit, described, claim, ...rest] = life(2, 200);
    const steps = [...life(1, 100), submit!, described!, claim!, stolen, ...rest];
    expect(kindsOf(goodRun(steps))).toContain('fence');
  });

  it('notices a fence that fell', () => {
    const fallen = lineStep('f', 250, line(2, null), line(1, null));
    expect(kindsOf(goodRun([...life(1, 100), ...life(2, 200), fallen]))).toEqual(['fence']);
  });

  it.each(['unwoken', 'swept'] as const)('notices a lost wake-up (%s)', (relation) => {
    const lost: Step = {
      tx: 'x',
      at: 250,
      change: { relation, key: '1', before: null, after: null },
    };
    expect(kindsOf(goodRun([...life(1, 100), ...life(2, 200), lost]))).toEqual(['wake-up']);
  });

  it('notices a candidate that was given up although the chain never said so', () => {
    const parked = (status: string): Step[] => [
      candidateStep('p2', 220, 2, candidate('waiting'), candidate('parked')),
      deltaStep('p2', 220, 2, 'candidate', status),
    ];
    const run = goodRun([...life(1, 100), ...life(2, 200).slice(0, 3), ...parked('retained')]);
    expect(kindsOf(run)).toContain('given-up');
    expect(kindsOf(run, { ...expectations, mayGiveUp: true })).not.toContain('given-up');
  });

  it('notices what is left behind', () => {
    expect(changed((run) => run.final.leftovers.push('queue x locked'))).toEqual(['leftover']);
  });

  it('notices a refusal that no fault explains', () => {
    const refusal: ClientEvent = {
      kind: 'refused',
      at: 100,
      account,
      nonce: 2,
      code: 'commitment_mismatch',
    };
    expect(changed((run) => run.events.push(refusal))).toEqual(['refused']);
  });

  it('counts time from the end of a fault, and notices when it is too long', () => {
    const late = [...life(1, 100), ...life(2, 9_000)];
    for (const step of late) if (step.tx === 's2') step.at = 200;
    expect(kindsOf(goodRun(late))).toContain('late');
    const run = goodRun(late);
    run.events.push(
      { kind: 'fault', at: 300, phase: 'begin', what: 'kill' },
      { kind: 'fault', at: 8_000, phase: 'end', what: 'kill' },
    );
    expect(kindsOf(run)).not.toContain('late');
    expect(check(run, expectations).maxRecoveryMs).toBe(1_020);
  });
});
