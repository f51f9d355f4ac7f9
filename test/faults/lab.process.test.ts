/**
 * A short run of the fault lab: every scenario with one seed, half of them in each queue mode. The
 * long one is `npm run faults`. Invariants K1 to K8 are those of the kernel: every one of them is
 * checked in every scenario, and named where its fault is.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge } from './campaign.ts';
import { runSeed, type QueueMode, type RunRecord } from './lab.ts';
import { scenarios } from './scenarios.ts';
import { openStage } from './stage.ts';

const cases: [scenario: string, queue: QueueMode, promise: string][] = [
  ['kill-worker', 'account', 'K6: killed workers lose their lines within seconds'],
  ['kill-storm', 'none', 'K1, K4: kills at any time leave no candidate without a wake-up'],
  ['zombie', 'account', 'K3: a worker that comes back after its claim changes nothing'],
  ['rolling-restart', 'account', 'K6: planned stops hand lines over at once'],
  ['postgres-restart', 'none', 'K4, K1: what was acknowledged outlives the server'],
  ['connections-cut', 'account', 'K4, K5: statements with an unknown end happen once'],
  ['half-open', 'none', 'K6: a line is not held by who does not know of it'],
  ['chain-down', 'account', 'K7: an outage of the chain is not evidence'],
  ['chain-slow', 'none', 'K7: slow looks hold nothing up but their own line'],
  ['chain-lying', 'account', 'K7, K8: wrong answers end in a named state and are made good'],
  ['chain-flapping', 'none', 'K7: answers that contradict each other move nothing twice'],
  ['halts', 'account', 'K8: what halts says so everywhere, and goes on after a retry'],
  ['pool-exhaustion', 'none', 'K8: without connections everything waits, nothing is lost'],
  ['clock-skew', 'account', 'K3, K6: only the clock of the database counts'],
  ['duplicate-submissions', 'none', 'K1, K5: one delta sent many times is one candidate'],
  ['pipelined', 'account', 'K2: a line is resolved in order, retries keep their place'],
];

/** Runs at the same time, each on a server of its own: more would only wait for processors. */
const lanes = 2;

const outcomes = new Map(cases.map(([name]) => [name, Promise.withResolvers<RunRecord>()]));

async function runLane(waiting: typeof cases): Promise<void> {
  const stage = await openStage();
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [name, queue] = next;
    const { resolve, reject } = outcomes.get(name)!;
    await runSeed(stage, { scenario: scenarios[name]!, seed: 1, queue }).then(resolve, reject);
  }
  await stage.remove();
}

describe('the fault lab', () => {
  let running: Promise<unknown>;
  beforeAll(() => {
    // a run that failed before its test asks is not unhandled
    for (const { promise } of outcomes.values()) promise.catch(() => {});
    const waiting = [...cases];
    running = Promise.all(Array.from({ length: lanes }, () => runLane(waiting)));
  });
  afterAll(() => running, 120_000);

  it.each(cases)('%s (%s): %s', { timeout: 120_000 }, async (name) => {
    const record = await outcomes.get(name)!.promise;
    const { violations, canonical } = judge(record, scenarios[name]!);
    expect(violations, [...record.schedule, record.output].join('\n')).toEqual([]);
    expect(canonical).toBeGreaterThan(0);
  });
});

it('covers every scenario', () => {
  expect(cases.map(([name]) => name).toSorted()).toEqual(Object.keys(scenarios).toSorted());
});
