/** What accounts that were active once and are quiet now cost: `many` with and without them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { drainAll, openFleet, untilEffects, type Drained } from '../kernel/fleet.ts';
import { createAccounts, settleDown, submitAll, type Verdict } from '../kernel/load.ts';
import type { Scenario, ScenarioOptions } from '../kernel/scenario.ts';
import type { Run, Stage } from '../kernel/stage.ts';

const active = { accounts: 1_000, each: 20 };
const rounds = 4;
/** For the removal of idle queue rows. */
const longestWaitMs = 300_000;

export const idle: Scenario = async (stage, options) => {
  const quiet = options.accounts ?? 100_000;
  options.say(`${quiet} accounts become active once …`);
  const old = await stage.openRun();
  const { queuesLeft, seconds } = await makeQuiet(old, options, quiet);
  const fresh = await stage.openRun();
  const rates: Record<'with' | 'without', number[]> = { with: [], without: [] };
  const costs: Record<'with' | 'without', number[]> = { with: [], without: [] };
  const last: Partial<Record<'with' | 'without', Drained>> = {};
  for (let round = 0; round < rounds; round++) {
    options.say(`round ${round + 1} of ${rounds} …`);
    const from = quiet + 1 + round * active.accounts;
    const without = () => drainMany(stage, fresh, options, from, round);
    const among = () => drainMany(stage, old, options, from, round, quiet);
    // in turns, so that what slows the machine down for a while does not always hit the same one
    const order = round % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const);
    for (const which of order) {
      const drained = await (which === 'with' ? among() : without());
      rates[which].push(drained.finalizations_per_s);
      costs[which].push(processorMs(drained));
      last[which] = drained;
    }
  }
  await Promise.all([old.drop(), fresh.drop()]);
  return {
    accounts: active.accounts,
    candidates: active.accounts * active.each,
    idle_accounts: quiet,
    ...last.with,
    // of both databases: each verdict is about all rounds of its own
    ...both(last, 'order_violations', 'lost', 'duplicates'),
    // the quiet accounts were made so in batches, without look-ups
    without_answer: both(last, 'without_answer').without_answer - quiet,
    without_idle_per_s: median(rates.without),
    with_idle_per_s: median(rates.with),
    with_of_without: Number((median(rates.with) / median(rates.without)).toFixed(3)),
    cpu_ms_with: median(costs.with),
    cpu_ms_without: median(costs.without),
    cpu_without_of_with: Number((median(costs.without) / median(costs.with)).toFixed(3)),
    queue_rows_left: queuesLeft,
    queue_rows_gone_after_s: seconds,
  };
};

/** Every account has one candidate finalized; then its idle queue rows are given time to go. */
async function makeQuiet(
  run: Run,
  options: ScenarioOptions,
  accounts: number,
): Promise<{ queuesLeft: number; seconds: number }> {
  const load = { accounts, each: 1, wakeQueue: options.queue };
  await createAccounts(run.sql, load);
  await submitAll(run.sql, load);
  const fleet = await openFleet(run, { ...options, batch: true });
  await fleet.go();
  await untilEffects(run, accounts);
  const done = performance.now();
  let queuesLeft = await queueRows(run);
  while (queuesLeft > 0 && performance.now() - done < longestWaitMs) {
    await sleep(500);
    queuesLeft = await queueRows(run);
  }
  const seconds = Number(((performance.now() - done) / 1_000).toFixed(1));
  await fleet.stop();
  await settleDown(run.sql);
  return { queuesLeft, seconds };
}

async function drainMany(
  stage: Stage,
  run: Run,
  options: ScenarioOptions,
  from: number,
  round: number,
  before = 0,
): Promise<Drained> {
  const load = { ...active, wakeQueue: options.queue, from };
  await createAccounts(run.sql, load);
  await submitAll(run.sql, load);
  await settleDown(run.sql);
  const candidates = active.accounts * active.each;
  return drainAll(stage, run, options, before + (round + 1) * candidates, candidates);
}

/** The middle, of an even number the mean of both middles. */
function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = 0, high = low] = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return Number(((low + high) / 2).toPrecision(4));
}

function both<Name extends keyof Verdict>(
  last: Partial<Record<'with' | 'without', Drained>>,
  ...names: Name[]
): Record<Name, number> {
  const sum = (name: Name) => (last.with?.[name] ?? 0) + (last.without?.[name] ?? 0);
  return Object.fromEntries(names.map((name) => [name, sum(name)])) as Record<Name, number>;
}

/** Of one finalization, in all processes together. */
function processorMs(drained: Drained): number {
  const { cpu_ms_per_finalization_postgres: postgres } = drained;
  const { cpu_ms_per_finalization_workers: workers } = drained;
  return Number((postgres + workers + drained.cpu_ms_per_finalization_chain).toFixed(3));
}

async function queueRows(run: Run): Promise<number> {
  const [row] = await run.sql<{ n: number }[]>`
    select count(*)::int as n from graphile_worker._private_job_queues`;
  return row?.n ?? 0;
}
