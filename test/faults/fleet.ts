/** The processes of a run, with a supervisor that starts again what ended by itself. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compiledBefore } from '../support/spawn.ts';

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

interface Member extends MemberOptions {
  child: ChildProcess | undefined;
  /** The supervisor keeps it running. */
  wanted: boolean;
  paused: boolean;
  /** By the schedule, since its last start. */
  killed: boolean;
  /** What it wrote since its last start. */
  said: string;
  /** When that was, milliseconds since the epoch. */
  startedAt: number;
}

export class Fleet {
  readonly names: readonly string[];
  readonly #members: Map<string, Member>;
  readonly #onEnd: (what: string) => void;
  #output = '';

  /** @param onEnd told when a process ended by itself. */
  constructor(members: MemberOptions[], onEnd: (what: string) => void) {
    this.names = members.map(({ name }) => name);
    this.#members = new Map(
      members.map((member) => [
        member.name,
        {
          ...member,
          child: undefined,
          wanted: false,
          paused: false,
          killed: false,
          said: '',
          startedAt: 0,
        },
      ]),
    );
    this.#onEnd = onEnd;
  }

  /** What all of them wrote. */
  get output(): string {
    return this.#output;
  }

  /** When the process was started last, milliseconds since the epoch. */
  startedAt(name: string): number {
    return this.#member(name).startedAt;
  }

  /** Starts a process that is down and waits until it is ready. */
  async start(name: string): Promise<void> {
    const member = this.#member(name);
    if (!member.wanted) {
      member.wanted = true;
      this.#launch(member);
    }
    while (member.wanted && !member.ready.test(member.said)) await sleep(10);
  }

  /** SIGKILL; it stays down. */
  async kill(name: string): Promise<void> {
    this.#member(name).killed = true;
    await this.#end(name, 'SIGKILL');
  }

  /**
   * SIGTERM; it stays down. Returns the exit code or the signal's name; 0 as well for one that is
   * still loading its modules and ends by the signal: it has not begun anything. From the first
   * line of its entry on a process answers the signal itself. 'killed' when `kill` came in between:
   * faults of one process come one after the other, but a stop may take longer than planned.
   */
  async stop(name: string): Promise<number | string> {
    const { ready, said } = this.#member(name);
    const ending = await this.#end(name, 'SIGTERM');
    if (ending !== 0 && this.#member(name).killed) return 'killed';
    return ending === 'SIGTERM' && !ready.test(said) ? 0 : ending;
  }

  pause(name: string): void {
    this.#member(name).paused = true;
    this.#member(name).child?.kill('SIGSTOP');
  }

  resume(name: string): void {
    if (!this.#member(name).paused) return;
    this.#member(name).paused = false;
    this.#member(name).child?.kill('SIGCONT');
  }

  /** SIGKILL to whatever is still there. */
  abandon(): void {
    for (const member of this.#members.values()) {
      member.wanted = false;
      member.child?.kill('SIGKILL');
    }
  }

  #member(name: string): Member {
    const found = this.#members.get(name);
    if (!found) throw new Error(`there is no process ${name}`);
    return found;
  }

  #launch(member: Member): void {
    const child = spawn(process.execPath, [path.join(project, member.file)], {
      cwd: project,
      env: { ...process.env, ...compiledBefore, ...member.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    member.child = child;
    member.killed = false;
    member.said = '';
    member.startedAt = Date.now();
    const hear = (bytes: Uint8Array) => {
      const text = new TextDecoder().decode(bytes);
      member.said += text;
      this.#output += text.replace(/^(?=.)/gm, `${member.name}: `);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code, signal) => {
      if (!member.wanted || member.child !== child) return;
      const [last = ''] = member.said.trimEnd().split('\n').slice(-1);
      this.#onEnd(`${member.name} ended by itself (${code ?? signal}): ${last.slice(0, 200)}`);
      setTimeout(() => {
        if (member.wanted && member.child === child) this.#launch(member);
      }, restartDelayMs);
    });
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<number | string> {
    const member = this.#member(name);
    const { child } = member;
    member.wanted = false;
    if (!child || child.exitCode !== null || child.signalCode !== null) return 0;
    const exited = once(child, 'exit');
    child.kill(signal);
    this.resume(name);
    const late = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    const [code, killedBy] = (await exited) as [number | null, string | null];
    clearTimeout(late);
    return code ?? killedBy ?? 0;
  }
}
