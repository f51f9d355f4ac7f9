/**
 * How long the event loop of the all-in-one process is ever held up while signed requests run.
 * API, worker, development chain and embedded database share that loop. Requests are signed
 * beforehand and sent by another process, so that the client's own work is not on it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load.ts';
import { startStack, type Stack } from '../../src/entry/stack.ts';
import { createLog } from '../../src/observability/log.ts';
import { longestGap, type Gap } from './probe.ts';
import { summarize, type Figure, type Measured } from './report.ts';
import type { RoundResult, TrafficOrder } from './traffic.ts';

const rounds = 5;
const requests = 100;
const idleMs = 1_000;

export async function measureStall(): Promise<Measured> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'canonry-bench-'));
  const stack = await startBenchStack(folder);
  const client = fork(fileURLToPath(new URL('./traffic.ts', import.meta.url)));
  try {
    return await driveRounds(stack, client);
  } finally {
    client.kill();
    await stack.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function startBenchStack(folder: string): Promise<Stack> {
  const config = loadConfig({
    GUARDIAN_NETWORK_TYPE: 'local',
    // what is measured or shaken here is not one client's share
    GUARDIAN_RATE_LIMIT_ENABLED: 'false',
    CANONRY_DATA_DIR: folder,
    CANONRY_DEV_CHAIN_PORT: '0',
    PORT: '0',
  });
  return startStack(config, createLog('warn', { role: 'bench' }));
}

async function driveRounds(stack: Stack, client: ChildProcess): Promise<Measured> {
  const gaps: Gap[] = [];
  const latencies: number[] = [];
  let elapsed = 0;
  const idle = await longestGap(() => sleep(idleMs));
  // round 0 lets the engine compile; every later one counts
  for (let round = 0; round <= rounds; round++) {
    await ask(client, { kind: 'prepare', url: stack.url, requests });
    let result: RoundResult = {};
    const gap = await longestGap(async () => {
      result = await ask(client, { kind: 'send' });
    });
    if (round === 0) continue;
    gaps.push(gap);
    latencies.push(...(result.latencies ?? []));
    elapsed += result.elapsed ?? 0;
  }
  return {
    notes: {
      'requests a second': Math.round((rounds * requests * 1_000) / elapsed),
      'load of the machine': os
        .loadavg()
        .map((load) => load.toFixed(1))
        .join(' '),
    },
    figures: stallFigures(gaps, idle, latencies),
  };
}

function stallFigures(
  gaps: readonly Gap[],
  idle: Gap,
  latencies: readonly number[],
): Record<string, Figure> {
  const what = `event loop held up, ${requests} signed requests at once (longest of each round)`;
  const wall = gaps.map((gap) => gap.wall);
  const cpu = gaps.map((gap) => gap.cpu).filter((ms) => !Number.isNaN(ms));
  return {
    stall: { ...summarize(what, wall), aim_ms: 20, aim_of: 'max_ms' },
    ...(cpu.length > 0 && { stall_cpu: summarize('… of that, processor time of the loop', cpu) }),
    stall_idle: summarize('event loop held up without requests, for one second', [idle.wall]),
    request: summarize(`answer to one of ${requests} concurrent requests`, latencies),
  };
}

async function ask(client: ChildProcess, order: TrafficOrder): Promise<RoundResult> {
  const over = new AbortController();
  const { signal } = over;
  const gone = once(client, 'exit', { signal }).then(([code]): never => {
    throw new Error(`the client process ended with ${String(code)}`);
  });
  gone.catch(() => {});
  try {
    const answer = once(client, 'message', { signal }) as Promise<[RoundResult]>;
    client.send(order);
    const [result] = await Promise.race([answer, gone]);
    if (result.error) throw new Error(`the client failed: ${result.error}`);
    return result;
  } finally {
    over.abort();
  }
}
