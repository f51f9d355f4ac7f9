/** What a rule of the checker says about a run. */
export type ViolationKind =
  /** An acknowledged delta is not there, or did not become canonical although it landed. */
  | 'lost'
  /** Something happened twice. */
  | 'duplicate'
  | 'order'
  /** A resolution committed without all of its parts. */
  | 'partial'
  /** What a client was told is not what the database keeps. */
  | 'durability'
  /** A write under a claim that was not the writer's. */
  | 'fence'
  /** A waiting candidate without a wake-up. */
  | 'wake-up'
  | 'late'
  /** A delta was given up without evidence of the chain. */
  | 'given-up'
  /** A look that the chain did not answer was counted as evidence. */
  | 'evidence'
  /** A halted candidate that the engine's list of failed jobs does not show, or the other way round. */
  | 'marker'
  /** A refusal that no fault explains. */
  | 'refused'
  /** A lock, claim or heartbeat that nobody is behind. */
  | 'leftover'
  /** A planned stop that failed, or kept what it held. */
  | 'handover'
  /** Nothing became canonical: the run says nothing about the kernel. */
  | 'idle';

export interface Violation {
  kind: ViolationKind;
  text: string;
}

export const violation = (kind: ViolationKind, text: string): Violation => ({ kind, text });
