/**
 * `npm run faults -- --scenario NAME|all --seeds A..B [--queue account|none|both] [--json]`: runs
 * real processes under faults and checks what they did. A seed that fails is printed with its
 * schedule; the same seed repeats it. Exit code 1 when anything failed.
 *
 *   --parallel N   runs at the same time, each on a server of its own
 *   --mutations    checks instead that the checker notices broken kernels
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runCampaign, type Campaign } from './campaign.ts';
import { runMutations } from './mutations.ts';
import { scenarios } from './scenarios.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'all' },
    seeds: { type: 'string', default: '1..1' },
    queue: { type: 'string', default: 'both' },
    parallel: { type: 'string', default: '1' },
    mutations: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

function refuse(text: string): never {
  console.error(text);
  process.exit(2);
}

function readCampaign(): Campaign {
  const names = values.scenario === 'all' ? Object.keys(scenarios) : values.scenario.split(',');
  const unknown = names.filter((name) => !Object.hasOwn(scenarios, name));
  if (unknown.length > 0) {
    refuse(
      `There is no scenario "${unknown[0]}". There are: ${Object.keys(scenarios).join(', ')}.`,
    );
  }
  const [, first, last = first] = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seeds) ?? [];
  if (first === undefined) refuse('--seeds is A..B');
  const queues = { account: ['account'], none: ['none'], both: ['account', 'none'] } as const;
  if (!Object.hasOwn(queues, values.queue)) refuse('--queue is account, none or both');
  return {
    scenarios: names,
    seeds: Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i),
    queues: queues[values.queue as keyof typeof queues],
    parallel: Number(values.parallel),
  };
}

const summary = values.mutations
  ? await runMutations(console.error)
  : await runCampaign(readCampaign(), console.error);
console.log(values.json ? JSON.stringify(summary) : summary);
process.exit(summary.violations === 0 ? 0 : 1);
