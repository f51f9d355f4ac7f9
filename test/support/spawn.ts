import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Where Node keeps what it has compiled: the modules of the project are the same in each of the
 * hundreds of processes that tests start, and compiling them is half of a start.
 */
export const compiledBefore = {
  NODE_COMPILE_CACHE: path.join(project, 'node_modules', '.cache', 'compiled'),
} as const;

/** A process of the project. */
export interface RunningProcess {
  child: ChildProcess;
  pid: number;
  /** What it wrote so far, stdout and stderr together. */
  output(): string;
  /** Resolves when the output matches; rejects when the process ends without it. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Exit code, or the signal's name. */
  exit: Promise<number | string>;
}

export interface RunOptions {
  args?: string[];
  env?: Record<string, string>;
  /** Deno only; everything when left out. */
  permissions?: string[];
}

/** Runs a TypeScript file of the project under this Node; the caller ends it. */
export function startNode(file: string, options: RunOptions = {}): RunningProcess {
  return start(process.execPath, [path.join(project, file), ...(options.args ?? [])], options);
}

/** Runs a TypeScript file of the project under Deno; the caller ends it. */
export function startDeno(file: string, options: RunOptions = {}): RunningProcess {
  const flags = ['run', '--quiet', '--no-prompt', ...(options.permissions ?? ['--allow-all'])];
  return start(
    denoBinary(),
    [...flags, path.join(project, file), ...(options.args ?? [])],
    options,
  );
}

/**
 * The binary itself: node_modules/.bin/deno may be a wrapper that does not pass signals on.
 */
function denoBinary(): string {
  const platform = process.platform === 'linux' ? 'linux' : process.platform;
  const suffix = process.platform === 'linux' ? '-glibc' : '';
  const name = `@deno/${platform}-${process.arch}${suffix}`;
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return path.join(path.dirname(manifest), 'deno');
}

function start(command: string, args: string[], options: RunOptions): RunningProcess {
  const child = spawn(command, args, {
    cwd: project,
    env: { ...process.env, ...compiledBefore, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (bytes: Uint8Array) => {
    output += new TextDecoder().decode(bytes);
    child.emit('output');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exit = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  return {
    child,
    pid: child.pid ?? 0,
    output: () => output,
    says: async (pattern) => {
      for (;;) {
        const found = pattern.exec(output);
        if (found) return found;
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`${args[0]} ended without saying ${pattern}: ${output}`);
        }
        await Promise.race([once(child, 'output'), exit]);
      }
    },
    exit,
  };
}
