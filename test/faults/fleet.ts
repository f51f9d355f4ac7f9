/** The processes of a run, with a supervisor that starts again what ended by itself. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** Between the end of a process and its next start by the supervisor. */
const restartDelayMs = 300;
/** A planned stop finishes what runs, which a slow look at the chain may hold up. */
const stopDeadlineMs = 8_000;

export interface MemberOptions {
  name: string;
  /** Entry point, from the project's root. */
  file: string;
  env: Record<string, string>;
  ready: RegExp;
}

export interface Fleet {
  names: readonly string[];
  /** Starts a process that is down and waits until it is ready. */
  start(name: string): Promise<void>;
  /** SIGKILL; it stays down. */
  kill(name: string): Promise<void>;
  /** SIGTERM; it stays down. Returns the exit code or the signal's name. */
  stop(name: string): Promise<number | string>;
  pause(name: string): void;
  resume(name: string): void;
  /** What all of them wrote. */
  output(): string;
  /** SIGKILL to whatever is still there. */
  abandon(): void;
}

interface Member extends MemberOptions {
  child: ChildProcess | undefined;
  wanted: boolean;
  paused: boolean;
  /** Of this start. */
  said: string;
}

/** @param onEvent told what the supervisor does. */
export function createFleet(options: MemberOptions[], onEvent: (what: string) => void): Fleet {
  const members = new Map<string, Member>(
    options.map((member) => [
      member.name,
      { ...member, child: undefined, wanted: false, paused: false, said: '' },
    ]),
  );
  let output = '';
  const launch = (member: Member) => {
    const child = spawn(process.execPath, [path.join(project, member.file)], {
      cwd: project,
      env: { ...process.env, ...member.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    member.child = child;
    member.said = '';
    const hear = (bytes: Uint8Array) => {
      const text = new TextDecoder().decode(bytes);
      member.said += text;
      output += text.replace(/^(?=.)/gm, `${member.name}: `);
      child.emit('said');
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code, signal) => {
      if (!member.wanted || member.child !== child) return;
      onEvent(`${member.name} ended by itself (${code ?? signal})`);
      setTimeout(() => {
        if (member.wanted && member.child === child) launch(member);
      }, restartDelayMs);
    });
  };
  const member = (name: string): Member => {
    const found = members.get(name);
    if (!found) throw new Error(`there is no process ${name}`);
    return found;
  };
  const end = async (name: string, signal: NodeJS.Signals) => {
    const { child, paused } = member(name);
    member(name).wanted = false;
    if (!child || child.exitCode !== null || child.signalCode !== null) return 0;
    const exited = once(child, 'exit');
    if (paused) child.kill('SIGCONT');
    member(name).paused = false;
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    const [code, killedBy] = (await exited) as [number | null, string | null];
    clearTimeout(late);
    return code ?? killedBy ?? 0;
  };
  return {
    names: [...members.keys()],
    async start(name) {
      const started = member(name);
      if (!started.wanted) {
        started.wanted = true;
        launch(started);
      }
      while (started.wanted && !started.ready.test(started.said)) await sleep(10);
    },
    async kill(name) {
      await end(name, 'SIGKILL');
    },
    stop: (name) => end(name, 'SIGTERM'),
    pause(name) {
      member(name).paused = true;
      member(name).child?.kill('SIGSTOP');
    },
    resume(name) {
      if (!member(name).paused) return;
      member(name).paused = false;
      member(name).child?.kill('SIGCONT');
    },
    output: () => output,
    abandon() {
      for (const { child } of members.values()) child?.kill('SIGKILL');
    },
  };
}
