/**
 * Commits of POST /delta: candidate, replay timestamp and wake-up, by Guardian's own functions, each
 * in a transaction of its own and as an API process commits them together, beside plain inserts of
 * the same rows. What comes before the commit (signature, computation) is no part of it.
 */
import { openDatabase } from '../../../src/database/connect.ts';
import type { Candidate } from '../../../src/guardian/deltas/submission-writes.ts';
import { startCountingProxy } from '../../support/counting-proxy.ts';
import {
  createDeltaAccounts,
  DeltaLine,
  judgeStored,
  storeDeltas,
  type Stored,
  type Way,
} from '../kernel/deltas.ts';
import { settleDown } from '../kernel/load.ts';
import type { Scenario, ScenarioOptions } from '../kernel/scenario.ts';
import type { Run, Stage } from '../kernel/stage.ts';

const clients = 32;
/** Of each client: no two share one, a delta needs the answer of the one before. */
const own = 300;
const accounts = clients * own;
const forMs = 6_000;
/** A region on another continent. */
const farMs = 80;

interface Pace extends Stored {
  commits: number;
  commits_per_s: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

export const ingest: Scenario = async (stage, options) => {
  options.say('plain inserts …');
  const plain = await paced(stage, options, 'plain');
  options.say('deltas, each by itself …');
  const alone = await paced(stage, options, 'alone');
  options.say('deltas, as an API process commits them …');
  const together = await paced(stage, options, 'together');
  options.say(`both, ${farMs} ms away from the database …`);
  const farAlone = await paced(stage, options, 'alone', farMs);
  const farTogether = await paced(stage, options, 'together', farMs);
  const all = [plain, alone, together, farAlone, farTogether];
  const sum = (fault: keyof Stored) => all.reduce((total, pace) => total + pace[fault], 0);
  const ofPlain = (pace: Pace) => Number((pace.commits_per_s / plain.commits_per_s).toFixed(3));
  return {
    accounts,
    candidates: together.commits,
    clients,
    // what was answered has to be there, with a wake-up
    workers: 0,
    finalizations_per_s: 0,
    chain_calls_per_finalization: 0,
    ...together,
    order_violations: sum('order_violations'),
    lost: sum('lost'),
    duplicates: sum('duplicates'),
    of_plain: ofPlain(together),
    alone_commits_per_s: alone.commits_per_s,
    alone_of_plain: ofPlain(alone),
    alone_p50_ms: alone.p50_ms,
    alone_p99_ms: alone.p99_ms,
    plain_commits_per_s: plain.commits_per_s,
    plain_p50_ms: plain.p50_ms,
    plain_p99_ms: plain.p99_ms,
    far_ms: farMs,
    far_commits_per_s: farTogether.commits_per_s,
    far_p50_ms: farTogether.p50_ms,
    far_p99_ms: farTogether.p99_ms,
    far_alone_commits_per_s: farAlone.commits_per_s,
    far_alone_p50_ms: farAlone.p50_ms,
    far_alone_p99_ms: farAlone.p99_ms,
  };
};

async function paced(
  stage: Stage,
  options: ScenarioOptions,
  way: Way,
  roundTripMs = 0,
): Promise<Pace> {
  const run = await stage.openRun();
  await createDeltaAccounts(run.sql, accounts);
  await settleDown(run.sql);
  const { times, answered } = await commitFor(run, options, way, roundTripMs);
  const verdict = await judgeStored(run.sql, answered, way !== 'plain');
  await run.drop();
  const sorted = times.toSorted((a, b) => a - b);
  const at = (q: number) => Number((sorted[Math.floor(q * (sorted.length - 1))] ?? 0).toFixed(2));
  return {
    ...verdict,
    commits: times.length,
    commits_per_s: Math.round((times.length * 1_000) / forMs),
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    max_ms: at(1),
  };
}

/** @returns how long each commit took, and what was committed (without the states). */
async function commitFor(
  run: Run,
  options: ScenarioOptions,
  way: Way,
  roundTripMs: number,
): Promise<{ times: number[]; answered: Candidate[] }> {
  // near, nothing stands in between
  const proxy = roundTripMs > 0 ? await startCountingProxy(run.url) : undefined;
  proxy?.setRoundTripMs(roundTripMs);
  const database = await openDatabase({
    databaseUrl: proxy?.url ?? run.url,
    maxConnections: clients,
    preparedStatements: true,
  });
  const store = storeDeltas(database.sql, way, clients);
  const times: number[] = [];
  const answered: Candidate[] = [];
  const client = async (_: unknown, n: number) => {
    const lines = Array.from(
      { length: own },
      (_line, i) => new DeltaLine(n * own + i + 1, options.queue),
    );
    const until = performance.now() + forMs;
    for (let i = 0; performance.now() < until; i++) {
      const delta = lines[i % lines.length]!.next();
      const at = performance.now();
      await store(delta);
      times.push(performance.now() - at);
      answered.push({ ...delta, state: null });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await database.close();
  await proxy?.close();
  return { times, answered };
}
