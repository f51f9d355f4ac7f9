/**
 * How long the event loop of the all-in-one process is ever held up while signed requests run.
 *
 * The probe is perf_hooks' monitorEventLoopDelay with a 1 ms timer: it records the time between
 * two runs of that timer. The longest one is reported with the millisecond the timer waits for,
 * so it is at most one millisecond more than what any other work had to wait for.
 *
 * API, worker, development chain and embedded database share that loop. Requests are signed
 * beforehand and sent by another process, so that the client's own work is not on it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load.ts';
import { startStack, type Stack } from '../../src/entry/stack.ts';
import { createLog } from '../../src/observability/log.ts';
import { summarize, type Measured } from './report.ts';
import type { RoundResult, TrafficOrder } from './traffic.ts';

const rounds = 5;
const requests = 100;
const idleMs = 1_000;

export async function measureStall(): Promise<Measured> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'canonry-bench-'));
  const stack = await startBenchStack(folder);
  try {
    return await driveRounds(stack);
  } finally {
    await stack.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function startBenchStack(folder: string): Promise<Stack> {
  const config = loadConfig({
    GUARDIAN_NETWORK_TYPE: 'local',
    CANONRY_DATA_DIR: folder,
    CANONRY_DEV_CHAIN_PORT: '0',
    PORT: '0',
  });
  return startStack(config, createLog('warn', { role: 'bench' }));
}

async function driveRounds(stack: Stack): Promise<Measured> {
  const client = fork(fileURLToPath(new URL('./traffic.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const exited = once(client, 'exit');
  const ask = async (order: TrafficOrder): Promise<RoundResult> => {
    client.send(order);
    const answer = once(client, 'message');
    const gone = exited.then(() => {
      throw new Error('the client process ended early');
    });
    const [result] = (await Promise.race([answer, gone])) as [RoundResult];
    if (result.error) throw new Error(`the client failed: ${result.error}`);
    return result;
  };
  const longest: number[] = [];
  const latencies: number[] = [];
  let elapsed = 0;
  const idle = await longestGap(() => sleep(idleMs));
  // round 0 lets the engine compile; every later one counts
  for (let round = 0; round <= rounds; round++) {
    await ask({ kind: 'prepare', url: stack.url, requests });
    let result: RoundResult = {};
    const gap = await longestGap(async () => {
      result = await ask({ kind: 'send' });
    });
    if (round === 0) continue;
    longest.push(gap);
    latencies.push(...(result.latencies ?? []));
    elapsed += result.elapsed ?? 0;
  }
  client.disconnect();
  await exited;
  return {
    notes: {
      'stall rounds': longest.map((gap) => gap.toFixed(1)).join(', '),
      'requests a second': Math.round((rounds * requests * 1_000) / elapsed),
    },
    figures: {
      stall: {
        ...summarize(
          `event loop held up while ${requests} signed requests run (longest of a round)`,
          longest,
        ),
        aim_ms: 20,
        aim_of: 'max_ms',
      },
      stall_idle: summarize('the same without requests, for one second', [idle]),
      request: summarize(`answer to one of ${requests} concurrent requests`, latencies),
    },
  };
}

/** @returns milliseconds. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  await work();
  // a gap is recorded when the timer runs after it
  await sleep(5);
  monitor.disable();
  return monitor.max / 1e6;
}
