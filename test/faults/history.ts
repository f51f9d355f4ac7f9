/**
 * What a run leaves for the checker: what clients saw, and every change of the rows that matter,
 * as triggers of the lab's own recorded it (recorder.sql).
 */

/** Milliseconds since the epoch, on the clock that all processes of the lab share. */
type Instant = number;

export type ClientEvent =
  /** About to be sent for the first time. `next` is what the client computed itself. */
  | { kind: 'attempted'; at: Instant; account: string; nonce: number; prev: string; next: string }
  | {
      kind: 'acknowledged';
      at: Instant;
      account: string;
      nonce: number;
      next: string;
      ack: string;
      /** Which of several clients. */
      client: number;
    }
  /** An answer that no fault explains. */
  | { kind: 'refused'; at: Instant; account: string; nonce: number; code: string }
  | { kind: 'landed'; at: Instant; account: string; next: string }
  | { kind: 'observed'; at: Instant; account: string; nonce: number; status: string; ack: string }
  | { kind: 'fault'; at: Instant; phase: 'begin' | 'end'; what: string };

/** A row of lab.change. Bigints are text. */
export type Change = { seq: number; txid: string; at: Instant; writer: string } & (
  | {
      relation: 'candidate';
      key: string;
      before: CandidateRow | null;
      after: CandidateRow | null;
      /** Nothing older in its line is unresolved. */
      head: boolean;
    }
  | { relation: 'delta'; key: string; before: DeltaRow | null; after: DeltaRow | null }
  | { relation: 'account'; key: string; before: AccountRow | null; after: AccountRow | null }
  | { relation: 'line'; key: string; before: LineRow | null; after: LineRow | null }
  | { relation: 'worker'; key: string; before: object | null; after: object | null }
  /** No wake-up at the commit of a waiting candidate (key). */
  | { relation: 'unwoken'; key: string; before: null; after: null }
  /** A candidate (key) that halted at a commit without a failed job, or has one and did not halt. */
  | { relation: 'marker'; key: string; before: null; after: null }
  /** The sweep had to wake lines (key: how many). */
  | { relation: 'swept'; key: string; before: null; after: null }
);

export interface CandidateRow {
  line_id: string;
  state: string;
  why: string;
  attempts: number;
  failures: number;
  resolved: boolean;
}

export interface DeltaRow {
  account_id: string;
  nonce: number;
  candidate_id: string;
  status: string;
  prev: string;
  next: string;
  ack: string;
  /** What looks have shown so far: retries, divergences, confirmations of a request to abandon. */
  evidence: number[];
}

interface AccountRow {
  commitment: string;
}

export interface LineRow {
  task: string;
  account: string;
  fence: number;
  holder: string | null;
  /** Milliseconds since the epoch. */
  claimed_at: number | null;
}

/** What is left in the database when nothing is left to do. */
export interface FinalState {
  deltas: DeltaRow[];
  accounts: { account_id: string; commitment: string }[];
  unresolved: { candidate_id: string; state: string; why: string; last_error: string | null }[];
  /** Sentences about locks, claims and heartbeats that nobody is behind. */
  leftovers: string[];
}

export interface Run {
  /** Several candidates may wait in one line. */
  events: ClientEvent[];
  changes: Change[];
  final: FinalState;
  /** When the load ended and every fault was over. */
  calmAt: Instant;
}

/** What the checker may expect of a scenario. */
export interface Expectations {
  /** The chain lies so well that a delta may be given up on the way; it lands in the end. */
  mayGiveUp: boolean;
  /** Longest time from "landed, acknowledged, and no fault" to canonical, milliseconds. */
  boundMs: number;
}
