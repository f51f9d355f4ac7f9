import type { metricTable } from './metric-table.ts';

type Table = typeof metricTable;
type NameOf<Type extends string> = {
  [N in keyof Table]: Table[N]['type'] extends Type ? N : never;
}[keyof Table];

export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;
export type HistogramName = NameOf<'histogram'>;

type ValueOf<Rule> = Rule extends readonly (infer Value)[] ? Value : string;

/** The labels of a metric: every key of the table, each with a value it allows. */
export type Labels<N extends keyof Table> = {
  readonly [K in keyof Table[N]['labels']]: ValueOf<Table[N]['labels'][K]>;
};

/** Where the parts of a process leave their figures. */
export interface Metrics {
  count<N extends CounterName>(name: N, labels: Labels<N>, by?: number): void;
  set<N extends GaugeName>(name: N, labels: Labels<N>, value: number): void;
  /** @param value in the unit the name ends with. */
  observe<N extends HistogramName>(name: N, labels: Labels<N>, value: number): void;
}

/** For processes whose metrics are off. */
export const unobserved: Metrics = { count() {}, set() {}, observe() {} };
