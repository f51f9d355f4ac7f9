import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metricTable, nodeMetrics } from './metric-table.ts';
import type { Metrics } from './metrics.ts';

export interface Prometheus {
  metrics: Metrics;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  contentType: string;
  /** Called before each text: for figures that cost nothing to read. */
  beforeText(read: () => void): void;
}

type Name = keyof typeof metricTable;

/** A registry with every metric of the table, and with Node's own where this is Node. */
export function openPrometheus(): Prometheus {
  const registry = new Registry();
  if (!('Deno' in globalThis)) collectNodeMetrics(registry);
  const counters = new Map<Name, Counter>();
  const gauges = new Map<Name, Gauge>();
  const histograms = new Map<Name, Histogram>();
  for (const [key, definition] of Object.entries(metricTable)) {
    const name = key as Name;
    const labelNames = Object.keys(definition.labels);
    const about = { name, help: definition.help, labelNames, registers: [registry] };
    if (definition.type === 'counter') counters.set(name, new Counter(about));
    else if (definition.type === 'gauge') gauges.set(name, new Gauge(about));
    else histograms.set(name, new Histogram({ ...about, buckets: [...definition.buckets] }));
  }
  const readers: (() => void)[] = [];
  return {
    metrics: {
      count: (name, labels, by = 1) => counters.get(name)?.inc(bounded(name, labels), by),
      set: (name, labels, value) => gauges.get(name)?.set(bounded(name, labels), value),
      observe: (name, labels, value) => histograms.get(name)?.observe(bounded(name, labels), value),
    },
    text() {
      for (const read of readers) read();
      return registry.metrics();
    },
    contentType: registry.contentType,
    beforeText: (read) => readers.push(read),
  };
}

/** Only what the table knows becomes a label; any other value is `other`. */
function bounded(name: Name, labels: object): Record<string, string> {
  const rules: Readonly<Record<string, readonly string[] | RegExp>> = metricTable[name].labels;
  const given = new Map<string, unknown>(Object.entries(labels));
  return Object.fromEntries(
    Object.entries(rules).map(([key, rule]) => {
      const value = String(given.get(key));
      const fits = rule instanceof RegExp ? rule.test(value) : rule.includes(value);
      return [key, fits ? value : 'other'];
    }),
  );
}

function collectNodeMetrics(register: Registry): void {
  collectDefaultMetrics({ register });
  for (const { name } of register.getMetricsAsArray()) {
    if (!nodeMetrics.includes(name)) register.removeSingleMetric(name);
  }
}
