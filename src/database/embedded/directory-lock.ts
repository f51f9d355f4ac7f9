/**
 * One process for each directory of an embedded database: with two of them, PGlite loses one
 * process's acknowledged writes without a word.
 *
 * The lock is a listening Unix socket beside the directory. It dies with its process (SIGKILL
 * too), and a file that outlived its process is told from a live one by connecting to it.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { databaseLimits } from '../../limits.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

export class DirectoryInUseError extends Error {
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
  const socketPath = lockPath(fs.realpathSync(directory));
  for (let attempt = 0; attempt < databaseLimits.directoryLockAttempts; attempt++) {
    const server = await listen(socketPath);
    if (server) return { release: () => new Promise((done) => server.close(() => done())) };
    const holder = await findHolder(socketPath);
    if (holder !== undefined) throw new DirectoryInUseError(directory, holder);
    await removeStale(socketPath);
  }
  throw new DirectoryInUseError(directory, 'unknown (several processes start at once)');
}

function lockPath(realDirectory: string): string {
  const digest = createHash('sha256').update(realDirectory).digest('hex').slice(0, 24);
  if (process.platform === 'win32') return `\\\\.\\pipe\\canonry-${digest}`;
  const beside = path.join(
    path.dirname(realDirectory),
    `.${path.basename(realDirectory)}.canonry-lock`,
  );
  // A socket's path has at most 104 bytes on macOS, 108 on Linux, its final zero included.
  const fits = new TextEncoder().encode(`${beside}.stale-00000000`).length <= 103;
  return fits ? beside : path.join(os.tmpdir(), `canonry-${digest}.lock`);
}

/** The lock, or undefined when the path is taken, by a live process or a dead one. */
function listen(socketPath: string): Promise<net.Server | undefined> {
  const server = net.createServer((visitor) => visitor.end(`${process.pid}\n`));
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(socketPath, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** The process that listens on the path, undefined when none does. */
async function findHolder(socketPath: string): Promise<string | undefined> {
  // More than one look: between its bind and its listen a live starter refuses connections too.
  for (let look = 0; look < databaseLimits.directoryLockLooks; look++) {
    if (look > 0) await sleep(databaseLimits.directoryLockLookMs);
    const answer = await ask(socketPath);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function ask(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const visitor = net.connect(socketPath);
    visitor.setTimeout(databaseLimits.directoryLockAnswerMs, () => visitor.destroy());
    visitor.on('data', (bytes) => (answer += bytes.toString()));
    visitor.on('error', () => resolve(undefined)); // refused: the file outlived its process
    visitor.on('close', () => resolve(answer.trim() || 'unknown (it does not answer)'));
  });
}

/**
 * Moves the stale file away before deleting it, and looks again: another starter may have
 * replaced it by its own live socket since, which is then put back.
 */
async function removeStale(socketPath: string): Promise<void> {
  const moved = `${socketPath}.stale-${process.pid.toString(16)}`;
  try {
    fs.renameSync(socketPath, moved);
  } catch {
    return; // somebody else removed it first
  }
  if ((await findHolder(moved)) !== undefined) {
    try {
      fs.linkSync(moved, socketPath);
    } catch {
      // The path is taken again: its new holder and this one both lose nothing by our leaving.
    }
  }
  fs.rmSync(moved, { force: true });
}
