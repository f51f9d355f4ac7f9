/** The checker on hand-made histories: a good one passes, and each kind of wrong is noticed. */
import { describe, expect, it } from 'vitest';
import { check } from './checker.ts';
import type { Change, ClientEvent, Expectations, Run } from './history.ts';

const expectations: Expectations = { mayGiveUp: false, boundMs: 5_000 };

type Body<T> = T extends Change ? Omit<T, 'seq' | 'txid' | 'at' | 'writer'> : never;
interface Step {
  tx: string;
  at: number;
  writer?: string;
  change: Body<Change>;
}

const account = '0xa';
const delta = (nonce: number, status: string) => ({
  account_id: account,
  nonce,
  candidate_id: String(nonce),
  status,
  prev: `c${nonce - 1}`,
  next: `c${nonce}`,
  ack: `ack${nonce}`,
});
const candidate = (state: string, attempts = 0) => ({
  line_id: '1',
  state,
  why: state,
  attempts,
  failures: 0,
  resolved: state === 'finalized' || state === 'parked',
});
const line = (fence: number, holder: string | null, claimed_at: number | null = null) => ({
  task: 'canonicalize',
  account,
  fence,
  holder,
  claimed_at,
});
const deltaStep = (
  tx: string,
  at: number,
  nonce: number,
  from: string | null,
  to: string,
): Step => ({
  tx,
  at,
  change: {
    relation: 'delta',
    key: `${account}/${nonce}`,
    before: from === null ? null : delta(nonce, from),
    after: delta(nonce, to),
  },
});
const candidateStep = (
  tx: string,
  at: number,
  nonce: number,
  from: ReturnType<typeof candidate> | null,
  to: ReturnType<typeof candidate>,
  head = true,
): Step => ({
  tx,
  at,
  change: { relation: 'candidate', key: String(nonce), before: from, after: to, head },
});
const lineStep = (
  tx: string,
  at: number,
  before: ReturnType<typeof line>,
  after: typeof before,
) => ({
  tx,
  at,
  change: { relation: 'line' as const, key: '1', before, after },
});
const accountStep = (tx: string, at: number, before: string | null, after: string): Step => ({
  tx,
  at,
  change: {
    relation: 'account',
    key: account,
    before: before === null ? null : { commitment: before },
    after: { commitment: after },
  },
});

/** Submitted, claimed, promoted, let go. */
function life(nonce: number, start: number): Step[] {
  const [submit, claim, promote] = [`s${nonce}`, `c${nonce}`, `p${nonce}`];
  const held = line(nonce, 'pool', start + 10);
  return [
    candidateStep(submit, start, nonce, null, candidate('waiting')),
    deltaStep(submit, start, nonce, null, 'candidate'),
    lineStep(claim, start + 10, line(nonce - 1, null), held),
    accountStep(promote, start + 20, `c${nonce - 1}`, `c${nonce}`),
    candidateStep(promote, start + 20, nonce, candidate('waiting'), candidate('finalized')),
    deltaStep(promote, start + 20, nonce, 'candidate', 'canonical'),
    lineStep(promote, start + 20, held, line(nonce, null)),
  ];
}

const beginning: Step[] = [
  { tx: 'w', at: 0, change: { relation: 'worker', key: 'pool', before: null, after: {} } },
  accountStep('configure', 1, null, 'c0'),
  { tx: 's0', at: 2, change: { relation: 'line', key: '1', before: null, after: line(0, null) } },
];

function told(nonce: number, at: number): ClientEvent[] {
  const about = { account, nonce, at };
  return [
    { ...about, kind: 'attempted', prev: `c${nonce - 1}`, next: `c${nonce}` },
    { ...about, kind: 'acknowledged', next: `c${nonce}`, ack: `ack${nonce}`, client: 0 },
    { kind: 'landed', at, account, next: `c${nonce}` },
    { ...about, at: at + 30, kind: 'observed', status: 'canonical', ack: `ack${nonce}` },
  ];
}

function goodRun(steps: Step[] = [...life(1, 100), ...life(2, 200)]): Run {
  return {
    events: [...told(1, 100), ...told(2, 200)],
    changes: [...beginning, ...steps].map(({ tx, at, writer = 'worker_1', change }, seq) => ({
      seq,
      txid: tx,
      at,
      writer,
      ...change,
    })),
    final: {
      deltas: [delta(1, 'canonical'), delta(2, 'canonical')],
      accounts: [{ account_id: account, commitment: 'c2' }],
      unresolved: [],
      leftovers: [],
    },
    calmAt: 300,
  };
}

const kindsOf = (run: Run, expected = expectations): string[] => [
  ...new Set(check(run, expected).violations.map(({ kind }) => kind)),
];

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
