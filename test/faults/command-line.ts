/** What a command line asks of the lab. */
import { parseArgs } from 'node:util';
import type { Campaign } from './campaign.ts';
import { scenarios } from './scenarios.ts';

export interface Order {
  /** null: the mutation check. */
  campaign: Campaign | null;
  json: boolean;
}

const queues = { account: ['account'], none: ['none'], both: ['account', 'none'] } as const;

/** @throws Error with one line that says what is wrong. */
export function readCommandLine(args: string[]): Order {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', default: 'all' },
      seeds: { type: 'string', default: '1..1' },
      queue: { type: 'string', default: 'both' },
      parallel: { type: 'string', default: '1' },
      mutations: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.mutations) return { campaign: null, json: values.json };
  const names = values.scenario === 'all' ? Object.keys(scenarios) : values.scenario.split(',');
  const unknown = names.find((name) => !Object.hasOwn(scenarios, name));
  if (unknown !== undefined) {
    throw new Error(
      `There is no scenario "${unknown}". There are: ${Object.keys(scenarios).join(', ')}.`,
    );
  }
  if (!Object.hasOwn(queues, values.queue)) throw new Error('--queue is account, none or both');
  if (!/^[1-9]\d{0,2}$/.test(values.parallel)) {
    throw new Error('--parallel is a whole number, at least 1');
  }
  const campaign = {
    scenarios: names,
    seeds: readSeeds(values.seeds),
    queues: queues[values.queue as keyof typeof queues],
    parallel: Number(values.parallel),
  };
  return { campaign, json: values.json };
}

function readSeeds(text: string): number[] {
  const [, from, to = from] = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  // also when one of them is NaN
  if (!(first <= last)) throw new Error('--seeds is A or A..B, B not below A');
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
