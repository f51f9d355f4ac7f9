/** What can go wrong, one scenario a kind. Every schedule comes from the seed. */
import { fileURLToPath } from 'node:url';
import type { Random } from './random.ts';
import type { Fault } from './schedule.ts';

/** Time in which new deltas are sent; faults begin in it. */
export const loadMs = 3_500;

export interface Scenario {
  workers: number;
  accounts: number;
  /** Signers of each account, all sending the same deltas. */
  clients: number;
  /** Candidates an account may have at once. */
  depth: number;
  /** Share of deltas whose transaction landed before they are sent. */
  landedBefore: number;
  /** The same of deltas of a pipeline that land as soon as they are sent; the others land with its end. */
  landedAtOnce: number;
  /** Longest time from "landed, acknowledged, no fault" to canonical, milliseconds. */
  boundMs: number;
  /** The chain's lies can be taken for answers. */
  mayGiveUp: boolean;
  /** Some worker is always there: recovery from a kill does not wait for the restart. */
  othersTakeOver: boolean;
  /** Each fault begins when the one before is healed, and the load goes on until the last one is. */
  oneByOne: boolean;
  /** Connections to Postgres go through the lab's proxy. */
  proxied: boolean;
  /** Variables of a process (`api`, `worker_1`, …). */
  environment(name: string, random: Random): Record<string, string>;
  plan(random: Random, workers: readonly string[]): Fault[];
}

const usual: Omit<Scenario, 'plan'> = {
  workers: 3,
  accounts: 8,
  clients: 1,
  depth: 1,
  landedBefore: 0.4,
  landedAtOnce: 0.6,
  boundMs: 10_000,
  mayGiveUp: false,
  othersTakeOver: true,
  oneByOne: false,
  proxied: false,
  environment: () => ({}),
};

/** One after the other from `first` on, until the load ends. */
function series(random: Random, first: number, gap: [number, number], make: Make): Fault[] {
  const faults: Fault[] = [];
  for (let at = first + random.between(0, 300); at < loadMs;) {
    const fault = make(at);
    faults.push(fault);
    at += fault.ms + random.between(...gap);
  }
  return faults;
}
type Make = (at: number) => Fault;

const modulePath = fileURLToPath(new URL('./skewed-clock.ts', import.meta.url));

export const scenarios: Record<string, Scenario> = {
  /** One worker after the other is killed at a random moment. */
  'kill-worker': {
    ...usual,
    plan: (random, workers) =>
      series(random, 300, [200, 800], (at) => ({
        at,
        ms: random.between(200, 900),
        do: 'kill',
        target: random.pick(workers),
      })),
  },
  /** All of them at any time and together, and the API once. */
  'kill-storm': {
    ...usual,
    othersTakeOver: false,
    plan: (random, workers) => [
      ...workers.flatMap((target) =>
        series(random.fork(target), 200, [600, 1_600], (at) => ({
          at,
          ms: random.between(50, 500),
          do: 'kill',
          target,
        })),
      ),
      { at: random.between(1_000, 3_000), ms: 50, do: 'kill', target: 'api' },
    ],
  },
  /**
   * A worker is stopped in the middle of a slow look until its lines were taken over. Then it goes
   * on, reads the answer and writes.
   */
  zombie: {
    ...usual,
    environment: () => ({ GUARDIAN_MIDEN_RPC_TIMEOUT_MS: '10000' }),
    plan: (random, workers) => [
      { at: 0, ms: loadMs, do: 'chain', mode: 'slow' },
      ...workers.slice(0, random.between(1, workers.length - 1)).map((target): Fault => ({
        at: random.between(400, 1_200),
        ms: random.between(2_600, 4_000),
        do: 'pause',
        target,
      })),
    ],
  },
  /** Every worker is asked to stop and comes back, one by one, and so is the API. */
  'rolling-restart': {
    ...usual,
    landedBefore: 1,
    oneByOne: true,
    boundMs: 2_000,
    plan: (random, workers) => {
      let at = 300;
      return [...workers, 'api'].map((target): Fault => {
        at += random.between(500, 800);
        return { at, ms: 0, do: 'stop', target };
      });
    },
  },
  'postgres-restart': {
    ...usual,
    plan: (random) => [
      {
        at: random.between(500, 2_500),
        ms: random.between(0, 1_500),
        do: 'postgres',
        how: random.pick(['stop', 'kill']),
      },
    ],
  },
  'connections-cut': {
    ...usual,
    plan: (random) =>
      series(random, 200, [150, 600], (at) => ({
        at,
        ms: 0,
        do: 'cut',
        share: random.pick([0.3, 0.6, 1]),
      })),
  },
  /** Connections stay open and carry nothing, until they are reset. */
  'half-open': {
    ...usual,
    proxied: true,
    plan: (random, workers) =>
      [...workers, 'api']
        .filter(() => random.chance(0.6))
        .map((target) => ({
          at: random.between(300, 2_000),
          ms: random.between(1_000, 3_500),
          do: random.chance(0.8) ? 'silence' : 'reset',
          target,
        })),
  },
  'chain-down': {
    ...usual,
    boundMs: 15_000,
    plan: (random) =>
      series(random, 300, [300, 900], (at) => ({
        at,
        ms: random.between(300, 1_200),
        do: 'chain',
        mode: random.pick(['refuse', 'error', 'hang']),
      })),
  },
  'chain-slow': {
    ...usual,
    plan: (random) => [{ at: random.between(0, 500), ms: loadMs, do: 'chain', mode: 'slow' }],
  },
  'chain-lying': {
    ...usual,
    boundMs: 15_000,
    mayGiveUp: true,
    plan: (random) =>
      series(random, 200, [200, 600], (at) => ({
        at,
        ms: random.between(300, 1_200),
        do: 'chain',
        mode: random.pick(['lying', 'lying', 'foreign']),
      })),
  },
  'chain-flapping': {
    ...usual,
    boundMs: 15_000,
    mayGiveUp: true,
    plan: (random) => [
      {
        at: random.between(0, 500),
        ms: random.between(2_000, 3_500),
        do: 'chain',
        mode: 'flapping',
      },
    ],
  },
  /** Decisions fail for a while and halt their lines, until a person lets them be looked at again. */
  halts: {
    ...usual,
    mayGiveUp: true,
    plan: (random, workers) => [
      {
        at: random.between(300, 1_200),
        ms: random.between(800, 1_600),
        do: 'break',
      },
      { at: random.between(1_000, 3_000), ms: 300, do: 'kill', target: random.pick(workers) },
    ],
  },
  /** Tiny pools, and a server that has hardly a connection left. */
  'pool-exhaustion': {
    ...usual,
    environment: (name) =>
      name === 'api'
        ? { GUARDIAN_DB_POOL_MAX_SIZE: '2' }
        : { GUARDIAN_DB_POOL_MAX_SIZE: '3', CANONRY_WORKER_CONCURRENCY: '3' },
    plan: (random) => [
      {
        at: random.between(300, 1_500),
        ms: random.between(500, 2_500),
        do: 'occupy',
        left: random.between(3, 9),
      },
    ],
  },
  /** Clocks of processes are hours off; only the database's counts. */
  'clock-skew': {
    ...usual,
    environment: (_name, random) => ({
      NODE_OPTIONS: `--import=${modulePath}`,
      LAB_CLOCK_SKEW_MS: String(random.between(-86_400_000, 86_400_000)),
    }),
    plan: (random, workers) => [
      { at: random.between(500, 2_000), ms: 300, do: 'kill', target: random.pick(workers) },
    ],
  },
  /** Many clients of an account send the same delta at once, and again. */
  'duplicate-submissions': {
    ...usual,
    accounts: 4,
    clients: 4,
    plan: (random) => [
      { at: random.between(500, 2_000), ms: 100, do: 'kill', target: 'api' },
      { at: random.between(2_200, 3_400), ms: 0, do: 'cut', share: 0.5 },
    ],
  },
  /** Several candidates in a line, each built on the one before, under kills. */
  pipelined: {
    ...usual,
    accounts: 4,
    depth: 5,
    environment: () => ({ GUARDIAN_MAX_CANDIDATES_PER_ACCOUNT: '5' }),
    plan: (random, workers) =>
      series(random, 300, [200, 800], (at) => ({
        at,
        ms: random.between(200, 900),
        do: random.pick(['kill', 'kill', 'stop']),
        target: random.pick(workers),
      })),
  },
};
