/** What can be asked of `npm run bench`, read and checked. */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import type { ScenarioOptions } from './kernel/scenario.ts';

/** What was asked for is not there; the text says in one line what is. */
export class Refusal extends Error {}

const whole =
  (least: number) =>
  (text: string): number => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    throw new Refusal(`is a whole number of at least ${least}`);
  };

const readers = {
  workers: whole(1),
  accounts: whole(1),
  /** Of one answer of the chain, milliseconds. */
  latency: whole(0),
  /** Lines that one worker works on at the same time. */
  concurrency: whole(1),
  /** Candidates of a line looked up at once and written in one transaction: 1, hot 20. */
  ahead: whole(1),
  /** Connections of one worker for the domain's statements. */
  connections: whole(1),
  /** Wake-ups with a queue name for each account, or with none. */
  queue(text: string): 'account' | 'none' {
    if (text === 'account' || text === 'none') return text;
    throw new Refusal('is account or none');
  },
  /** Settings of graphile-worker to try instead of the preset's. */
  engine(text: string): Record<string, unknown> {
    try {
      const given: unknown = JSON.parse(text);
      if (typeof given === 'object' && given !== null && !Array.isArray(given)) return { ...given };
    } catch {
      // refused as what is no object is
    }
    throw new Refusal('is a JSON object');
  },
  /** Another folder of migrations, to compare variants of the functions. */
  migrations(text: string): string {
    if (fs.statSync(text, { throwIfNoEntry: false })?.isDirectory()) return text;
    throw new Refusal('is a folder of migrations');
  },
};

/** `batch`: decisions without a look-up, up to 20 in a transaction. */
type Option = keyof typeof readers | 'batch';

const cluster = ['queue', 'migrations'] as const;
const fleet = [...cluster, 'concurrency', 'connections', 'engine'] as const;
const chain = ['workers', 'latency', 'ahead'] as const;

/** What each bench makes use of; all else is refused, so that a figure is of what was asked for. */
const takes = {
  miden: [],
  edge: [],
  many: [...fleet, ...chain, 'accounts', 'batch'],
  wide: [...fleet, ...chain, 'accounts', 'batch'],
  hot: [...fleet, ...chain, 'batch'],
  latency: [...fleet, ...chain],
  ingest: [...cluster],
  recovery: [...fleet, 'workers', 'ahead'],
  stop: [...fleet, ...chain],
  idle: [...fleet, ...chain, 'accounts'],
  peers: [...fleet, ...chain, 'accounts'],
} satisfies Record<string, readonly Option[]>;

export type BenchName = keyof typeof takes;

export interface Order extends Omit<ScenarioOptions, 'say'> {
  name: BenchName;
  json: boolean;
  migrations?: string | undefined;
}

/** @throws Refusal */
export function readOrder(args: string[]): Order {
  const { values, positionals } = parsed(args);
  const [name = '', ...more] = positionals;
  if (!isBench(name)) {
    throw new Refusal(`There is no bench "${name}". There are: ${Object.keys(takes).join(', ')}.`);
  }
  if (more.length > 0) throw new Refusal(`One bench at a time: "${more[0]}" is too much.`);
  const { json = false, batch = false, ...texts } = values;
  const taken: readonly string[] = takes[name];
  for (const option of Object.keys(values)) {
    if (option === 'json' || taken.includes(option)) continue;
    const known = taken.map((each) => `--${each}`).join(', ') || 'no options but --json';
    throw new Refusal(`${name} makes no use of --${option}. It takes ${known}.`);
  }
  const unseen = (['latency', 'ahead'] as const).find((option) => texts[option] !== undefined);
  if (batch && unseen) throw new Refusal(`--batch looks nothing up: --${unseen} has no use.`);
  const read = <O extends keyof typeof readers>(option: O) => {
    const text = texts[option];
    return text === undefined ? undefined : (checked(option, text) as ReturnType<Readers[O]>);
  };
  return {
    name,
    json,
    batch,
    workers: read('workers') ?? 1,
    accounts: read('accounts'),
    queue: read('queue') ?? 'account',
    latencyMs: read('latency') ?? 0,
    concurrency: read('concurrency') ?? 20,
    ahead: read('ahead'),
    connections: read('connections'),
    engine: read('engine') ?? {},
    migrations: read('migrations'),
  };
}

type Readers = typeof readers;

const isBench = (name: string): name is BenchName => Object.hasOwn(takes, name);

function checked(option: keyof Readers, text: string): ReturnType<Readers[keyof Readers]> {
  try {
    return readers[option](text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(`--${option} ${error.message}, not "${text}".`);
  }
}

function parsed(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        json: flag,
        batch: flag,
        workers: text,
        accounts: text,
        latency: text,
        concurrency: text,
        ahead: text,
        connections: text,
        queue: text,
        engine: text,
        migrations: text,
      },
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Refusal(error.message.split('\n')[0]);
  }
}
