/** Reads the text format of Prometheus, as far as the tests need it. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export function readSamples(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] =
        /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`not a sample: ${line}`);
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, key, given]) => [key, given])),
        value: Number(value),
      };
    });
}

/** The sum of the samples of this name whose labels include these. */
export function total(
  samples: readonly Sample[],
  name: string,
  labels: Record<string, string> = {},
): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) =>
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((sum, { value }) => sum + value, 0);
}

/** Protocol dossier §7, and what histograms and Node's own metrics add. */
export const allowedKeys = [
  'method',
  'route',
  'status',
  'service',
  'code',
  'operation',
  'outcome',
  'kind',
  'event',
  'limit_type',
  'transport',
  'pool',
  'version',
  'git_commit',
  'profile',
  'le',
];
