/**
 * One process for each directory of an embedded database: with two of them, PGlite loses one
 * process's acknowledged writes without a word.
 *
 * A holder listens on a Unix socket, which dies with its process (SIGKILL too). A symbolic link
 * beside the directory names the socket and carries a generation: whoever finds the highest
 * generation dead creates the next one, which succeeds for exactly one of several starters. The
 * highest link is never removed, so a slow starter cannot come in behind a newer holder.
 */
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { databaseLimits } from '../../limits.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

class DirectoryInUseError extends Error {
  override name = 'DirectoryInUseError';

  constructor(directory: string, holder: string) {
    super(
      `The embedded database in ${directory} is in use by process ${holder}. ` +
        'It takes one process: stop that one, or set DATABASE_URL to use Postgres.',
    );
  }
}

/**
 * Takes the lock of `directory` (created when missing), or throws DirectoryInUseError naming
 * the process that holds it.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  fs.mkdirSync(directory, { recursive: true });
  const links = new LockLinks(fs.realpathSync(directory));
  const server = await listen(links.newSocket());
  const lock = { release: () => new Promise<void>((done) => server.close(() => done())) };
  try {
    for (let attempt = 0; attempt < databaseLimits.directoryLockAttempts; attempt++) {
      const highest = links.highest();
      const holder = await findHolder(links.socketOf(highest));
      if (holder !== undefined) throw new DirectoryInUseError(directory, holder);
      if (links.create(highest + 1)) return lock;
    }
    throw new DirectoryInUseError(directory, 'unknown (many start at once)');
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The links `.<name>.lock-<generation>` beside one directory. */
class LockLinks {
  readonly #folder: string;
  readonly #prefix: string;
  readonly #digest: string;
  #socket = '';

  constructor(directory: string) {
    this.#folder = path.dirname(directory);
    this.#prefix = `.${path.basename(directory)}.lock-`;
    this.#digest = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  }

  /** A path for this process's own socket. */
  newSocket(): string {
    const name = `.canonry-${this.#digest}-${randomBytes(4).toString('hex')}.sock`;
    const beside = path.join(this.#folder, name);
    // The path of a socket has at most 104 bytes on macOS, 108 on Linux, its final zero included.
    const fits = new TextEncoder().encode(beside).length <= 103;
    this.#socket = fits ? beside : path.join(os.tmpdir(), name);
    return this.#socket;
  }

  /** The highest generation, 0 when there never was one. */
  highest(): number {
    return Math.max(0, ...this.#generations());
  }

  /** The socket that a generation names, undefined when the link is not there. */
  socketOf(generation: number): string | undefined {
    try {
      return fs.readlinkSync(this.#link(generation));
    } catch {
      return undefined;
    }
  }

  /** Claims a generation for this process; false when another starter was faster. */
  create(generation: number): boolean {
    try {
      fs.symlinkSync(this.#socket, this.#link(generation));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    }
    if (this.highest() > generation) {
      fs.rmSync(this.#link(generation), { force: true });
      return false;
    }
    for (const older of this.#generations()) if (older < generation) this.#remove(older);
    return true;
  }

  #remove(generation: number): void {
    const socket = this.socketOf(generation);
    if (socket !== undefined) fs.rmSync(socket, { force: true }); // left behind by SIGKILL
    fs.rmSync(this.#link(generation), { force: true });
  }

  #link(generation: number): string {
    return path.join(this.#folder, `${this.#prefix}${generation}`);
  }

  #generations(): number[] {
    return fs
      .readdirSync(this.#folder)
      .filter((name) => name.startsWith(this.#prefix))
      .map((name) => Number(name.slice(this.#prefix.length)))
      .filter(Number.isInteger);
  }
}

function listen(socket: string): Promise<net.Server> {
  const server = net.createServer((visitor) => visitor.end(`${process.pid}\n`));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, () => resolve(server.unref()));
  });
}

/** The process that listens on the socket; undefined when it is certain that none does. */
function findHolder(socket: string | undefined): Promise<string | undefined> {
  if (socket === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    let answer = '';
    const visitor = net.connect(socket);
    visitor.setTimeout(databaseLimits.directoryLockAnswerMs, () => visitor.destroy());
    visitor.on('data', (bytes) => (answer += bytes.toString()));
    visitor.on('error', (error: NodeJS.ErrnoException) => {
      // Released (the file is gone) or killed (nobody accepts); anything else may be a live one.
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
    });
    visitor.on('close', () => resolve(answer.trim() || 'unknown (it does not answer)'));
  });
}
