/** Hand-made histories for tests of the checker: a good run, and the steps it is made of. */
import { check } from './checker.ts';
import type { Change, ClientEvent, Expectations, Run } from './history.ts';

export const expectations: Expectations = { mayGiveUp: false, boundMs: 5_000 };

type Body<T> = T extends Change ? Omit<T, 'seq' | 'txid' | 'at' | 'writer'> : never;
export interface Step {
  tx: string;
  at: number;
  writer?: string;
  change: Body<Change>;
}

export const account = '0xa';
const delta = (nonce: number, status: string) => ({
  account_id: account,
  nonce,
  candidate_id: String(nonce),
  status,
  prev: `c${nonce - 1}`,
  next: `c${nonce}`,
  ack: `ack${nonce}`,
  evidence: [0, 0, 0],
});
export const candidate = (state: string, attempts = 0) => ({
  line_id: '1',
  state,
  why: state,
  attempts,
  failures: 0,
  resolved: state === 'finalized' || state === 'parked',
});
export const line = (fence: number, holder: string | null, claimed_at: number | null = null) => ({
  task: 'canonicalize',
  account,
  fence,
  holder,
  claimed_at,
});
export const deltaStep = (
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
export const candidateStep = (
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
export const lineStep = (
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
export function life(nonce: number, start: number): Step[] {
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

export function goodRun(steps: Step[] = [...life(1, 100), ...life(2, 200)]): Run {
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

export const kindsOf = (run: Run, expected = expectations): string[] => [
  ...new Set(check(run, expected).violations.map(({ kind }) => kind)),
];
