/**
 * `npm run demo`: against the stack that runs here, or alone on one that lives as long as the
 * demo. `--json` ends with one summary object; `--url` and `--chain` name another stack.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { openClient } from '../client/client.ts';
import { loadConfig, type Config } from '../config/load.ts';
import { runDemo } from '../demo/run.ts';
import { createLog } from '../observability/log.ts';
import { exitWithMessage } from './shutdown.ts';
import { startStack } from './stack.ts';

interface Target {
  url: string;
  chainUrl: string;
  close(): Promise<void>;
}

async function isRunning(url: string): Promise<boolean> {
  try {
    return (await openClient(url, { timeoutMs: 1_000 }).readiness()).status === 'ready';
  } catch {
    return false;
  }
}

/** A stack with its own folder and ports, gone after the demo. */
async function ephemeralStack(config: Config): Promise<Target> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'canonry-demo-'));
  const own: Config = {
    ...config,
    DATABASE_URL: undefined,
    DIRECT_DATABASE_URL: undefined,
    GUARDIAN_MIDEN_RPC_ENDPOINT: undefined,
    GUARDIAN_NETWORK_TYPE: 'local',
    CANONRY_DATA_DIR: folder,
    CANONRY_DEV_CHAIN_PORT: 0,
    PORT: 0,
  };
  const stack = await startStack(own, createLog('warn', { role: 'demo' }));
  return {
    url: stack.url,
    chainUrl: stack.chainUrl ?? '',
    async close() {
      await stack.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

try {
  const started = performance.now();
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, url: { type: 'string' }, chain: { type: 'string' } },
  });
  const config = loadConfig(process.env);
  const url = values.url ?? `http://127.0.0.1:${config.PORT}`;
  const chainUrl = values.chain ?? `http://127.0.0.1:${config.CANONRY_DEV_CHAIN_PORT}`;
  const say = (line: string) =>
    console.log(`${String(Math.round(performance.now() - started)).padStart(6)} ms  ${line}`);
  const running = values.url !== undefined || (await isRunning(url));
  const target: Target = running
    ? { url, chainUrl, close: async () => {} }
    : await ephemeralStack(config);
  const ready = Math.round(performance.now() - started);
  say(running ? `using the stack at ${url}` : 'no stack is running: started one for this demo');
  try {
    const result = await runDemo(target.url, target.chainUrl, say, started);
    if (values.json) console.log(JSON.stringify({ ready_ms: ready, ...result }));
    else console.log(`${result.canonical} of ${result.deltas} deltas are canonical.`);
  } finally {
    await target.close();
  }
  process.exit(0);
} catch (error) {
  exitWithMessage(error);
}
