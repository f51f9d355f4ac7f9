/** Runs a scenario of the kernel on a cluster of its own. */
import { machine } from '../report.ts';
import type { Fields, Scenario, ScenarioOptions } from './scenario.ts';
import { openStage } from './stage.ts';

export type { Fields, Scenario } from './scenario.ts';

/** Accounts from which on a run's figures count; with fewer it shows that the bench works. */
const fullSize = 1_000;

export async function runScenario(
  name: string,
  scenario: Scenario,
  order: ScenarioOptions & { migrations?: string | undefined },
): Promise<Fields> {
  const { migrations, accounts = fullSize } = order;
  const stage = await openStage({ migrations, logFiles: accounts >= fullSize });
  try {
    const fields = await scenario(stage, order);
    return {
      scenario: name,
      workers: order.workers,
      queue: order.queue,
      latency_ms: order.latencyMs,
      concurrency: order.concurrency,
      ...fields,
      postgres: stage.settings.join(' '),
      cpu: machine.cpu,
      cores: machine.cores,
      node: machine.node,
    };
  } finally {
    await stage.close();
  }
}

export function printFields(fields: Fields): void {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  for (const [name, value] of Object.entries(fields)) {
    console.log(`${name.padEnd(width)}  ${value}`);
  }
}
