/** What every scenario is given and what it gives back. */
import type { Stage } from './stage.ts';

export interface ScenarioOptions {
  workers: number;
  accounts?: number | undefined;
  queue: 'account' | 'none';
  batch: boolean;
  latencyMs: number;
  concurrency: number;
  /** Candidates of a line that are looked up at once and written in one transaction. */
  ahead?: number | undefined;
  /** Settings of graphile-worker to try instead of the preset's. */
  engine: Record<string, unknown>;
  connections?: number | undefined;
  say: (line: string) => void;
}

export type Fields = Record<string, string | number>;

export type Scenario = (stage: Stage, options: ScenarioOptions) => Promise<Fields>;

/** The receipts' secret of this run. */
export const secret = Math.random().toString(36).slice(2);
