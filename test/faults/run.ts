/**
 * `npm run faults -- --scenario NAME|all --seeds A..B [--queue account|none|both] [--json]`: runs
 * real processes under faults and checks what they did. A seed that fails is printed with its
 * schedule; the same seed repeats it. Exit code 1 when anything failed, 2 when nothing was run.
 *
 *   --parallel N   runs at the same time, each on a server of its own
 *   --mutations    checks instead that the checker notices broken kernels
 */
import process from 'node:process';
import { runCampaign } from './campaign.ts';
import { readCommandLine, type Order } from './command-line.ts';
import { runMutations } from './mutations.ts';

function readOrder(): Order {
  try {
    return readCommandLine(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

const { campaign, json } = readOrder();
const summary = campaign
  ? await runCampaign(campaign, console.error)
  : await runMutations(console.error);
console.log(json ? JSON.stringify(summary) : summary);
process.exit(summary.violations === 0 ? 0 : 1);
