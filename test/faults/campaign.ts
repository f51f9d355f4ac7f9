/** Many runs: every scenario, seed and queue mode asked for. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { check, type Report } from './checker.ts';
import type { Expectations } from './history.ts';
import { runSeed, type QueueMode, type RunRecord } from './lab.ts';
import { violation, type Violation, type ViolationKind } from './rules/violation.ts';
import { scenarios } from './scenarios.ts';
import { openStage, type Stage } from './stage.ts';

export interface Campaign {
  scenarios: readonly string[];
  seeds: readonly number[];
  queues: readonly QueueMode[];
  /** Runs at the same time, each on a server of its own. */
  parallel: number;
}

export interface Summary {
  scenarios: readonly string[];
  seeds: number;
  runs: number;
  canonical: number;
  violations: number;
  lost: number;
  duplicates: number;
  order_violations: number;
  max_recovery_ms: number;
  seconds: number;
  /** `scenario/seed/queue` of the runs that failed. */
  failed: string[];
}

interface Task {
  scenario: string;
  seed: number;
  queue: QueueMode;
}

/**
 * @param say takes a line for people.
 * @throws Error when there is nothing to run: no runs are not a success.
 */
export async function runCampaign(
  campaign: Campaign,
  say: (line: string) => void,
): Promise<Summary> {
  const started = performance.now();
  const tasks = campaign.scenarios.flatMap((scenario) =>
    campaign.seeds.flatMap((seed) => campaign.queues.map((queue) => ({ scenario, seed, queue }))),
  );
  if (tasks.length === 0 || !(campaign.parallel >= 1)) throw new Error('a campaign of no runs');
  const waiting = [...tasks];
  const reports: (Report & { name: string })[] = [];
  const lanes = Array.from({ length: campaign.parallel }, async () => {
    const stage = await openStage();
    try {
      for (let task = waiting.shift(); task; task = waiting.shift()) {
        reports.push({ ...(await runTask(stage, task, say)), name: nameOf(task) });
      }
    } finally {
      await stage.remove();
    }
  });
  await Promise.all(lanes);
  const violations = reports.flatMap((report) => report.violations);
  const count = (kind: ViolationKind) => violations.filter((found) => found.kind === kind).length;
  return {
    scenarios: campaign.scenarios,
    seeds: campaign.seeds.length,
    runs: reports.length,
    canonical: reports.reduce((sum, { canonical }) => sum + canonical, 0),
    violations: violations.length,
    lost: count('lost'),
    duplicates: count('duplicate'),
    order_violations: count('order'),
    max_recovery_ms: Math.max(0, ...reports.map(({ maxRecoveryMs }) => maxRecoveryMs)),
    seconds: Math.round((performance.now() - started) / 100) / 10,
    failed: reports.filter((report) => report.violations.length > 0).map(({ name }) => name),
  };
}

const nameOf = ({ scenario, seed, queue }: Task): string => `${scenario}/${seed}/${queue}`;

async function runTask(stage: Stage, task: Task, say: (line: string) => void): Promise<Report> {
  const started = performance.now();
  const scenario = scenarios[task.scenario];
  if (!scenario) throw new Error(`there is no scenario ${task.scenario}`);
  const record = await runSeed(stage, { scenario, seed: task.seed, queue: task.queue }).catch(
    (error: unknown) => String(error),
  );
  if (typeof record === 'string') {
    say(`FAILED ${nameOf(task)}: ${record}`);
    return { violations: [violation('late', record)], canonical: 0, maxRecoveryMs: 0 };
  }
  const report = judge(record, scenario);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const { canonical, maxRecoveryMs, violations } = report;
  say(
    `${violations.length > 0 ? 'FAILED' : 'ok    '} ${nameOf(task)}: ${canonical} canonical, ` +
      `recovery ${maxRecoveryMs} ms, ${seconds} s`,
  );
  if (violations.length > 0) {
    describe(record, violations).forEach((line) => say(`  ${line}`));
    const file = path.join(os.tmpdir(), `canonry-faults-${nameOf(task).replaceAll('/', '-')}.json`);
    fs.writeFileSync(file, JSON.stringify({ violations, ...record }, null, 1));
    say(`  everything: ${file}`);
  }
  return report;
}

/** The checker's report, with what the lab itself noticed. */
export function judge(record: RunRecord, expectations: Expectations): Report {
  const report = check(record, expectations);
  const complaints = record.complaints.map((text) => violation('handover', text));
  return { ...report, violations: [...report.violations, ...complaints] };
}

/** Of a failed run: what is wrong, what was done to it, and what the processes said. */
function describe(record: RunRecord, violations: Violation[]): string[] {
  const output = record.output.trimEnd().split('\n');
  return [
    ...violations.slice(0, 20).map(({ kind, text }) => `${kind}: ${text}`),
    ...(violations.length > 20 ? [`… ${violations.length - 20} more`] : []),
    'schedule:',
    ...record.schedule,
    'output:',
    ...output.slice(-30),
  ];
}
