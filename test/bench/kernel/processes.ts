/** The processes of a benchmark and what they cost. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export interface WorkerOrder {
  databaseUrl: string;
  /** 0: no chain, candidates are decided in batches. */
  chainPort: number;
  wakeQueue: 'account' | 'none';
  concurrency: number;
  /** Candidates of a line that are looked up at once. */
  ahead: number;
  /** Connections for the domain's statements; as many as `concurrency` when left out. */
  connections?: number;
  /** Settings of graphile-worker to try instead of the preset's. */
  engine?: Record<string, unknown>;
  logLevel?: string;
}

export interface BenchProcess {
  pid: number;
  child: ChildProcess;
  send(message: string): void;
  /** The next message. */
  hears(): Promise<unknown>;
  end(signal: NodeJS.Signals): Promise<void>;
}

export interface Chain {
  port: number;
  pid: number;
  calls(): Promise<number>;
  /** Of the look-ups from now on, milliseconds. */
  setLatency(ms: number): Promise<void>;
  close(): Promise<void>;
}

export async function startWorkerProcess(order: WorkerOrder): Promise<BenchProcess> {
  const worker = start('../worker.ts', order);
  await worker.hears();
  return worker;
}

export async function startChain(secret: string, latencyMs: number): Promise<Chain> {
  const chain = start('../chain.ts', { secret, latencyMs: String(latencyMs) });
  const { port } = (await chain.hears()) as { port: number };
  return {
    port,
    pid: chain.pid,
    async calls() {
      const answer = chain.hears();
      chain.send('calls');
      return ((await answer) as { calls: number }).calls;
    },
    async setLatency(ms) {
      const answer = chain.hears();
      chain.send(String(ms));
      await answer;
    },
    close: () => chain.end('SIGKILL'),
  };
}

/** Forks a file of this folder with one argument, a JSON object. */
export function start(file: string, argument: object): BenchProcess {
  const flags = (process.env['CANONRY_BENCH_NODE_FLAGS'] ?? '').split(' ').filter(Boolean);
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(argument)], {
    execArgv: ['--disable-warning=ExperimentalWarning', ...flags],
  });
  return {
    child,
    pid: child.pid ?? 0,
    send: (message) => child.send(message),
    hears: () =>
      new Promise((resolve, reject) => {
        const gone = (code: unknown) => reject(new Error(`${file} ended with ${String(code)}`));
        child.once('exit', gone);
        child.once('message', (message) => {
          child.off('exit', gone);
          resolve(message);
        });
      }),
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
  };
}

/**
 * CPU seconds (user and system) that a process and its present and past children have used;
 * NaN where there is no /proc.
 */
export function cpuSeconds(pid: number): number {
  const own = readStat(pid);
  if (!own) return Number.NaN;
  const children = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat?.parent === pid);
  return own.used + own.waited + children.reduce((sum, stat) => sum + (stat?.used ?? 0), 0);
}

/** proc_pid_stat(5): times are in clock ticks of 10 ms. */
function readStat(pid: number): { parent: number; used: number; waited: number } | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent, user, system, childUser, childSystem] = [1, 11, 12, 13, 14].map(
      (at) => fields[at] ?? 0,
    );
    return {
      parent: parent ?? 0,
      used: ((user ?? 0) + (system ?? 0)) / 100,
      waited: ((childUser ?? 0) + (childSystem ?? 0)) / 100,
    };
  } catch {
    return undefined; // it ended meanwhile, or there is no /proc
  }
}
