/** What the development chain remembers: the commitment of every account that landed. */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

import * as v from 'valibot';

import { devChainLimits } from '../limits.ts';
import { accountIdSchema, commitmentSchema } from './schema.ts';

const fileSchema = v.object({ accounts: v.record(accountIdSchema, commitmentSchema) });

/** The chain holds as many accounts as it may. */
export class DevChainFullError extends Error {
  override name = 'DevChainFullError';
}

export class DevChainLedger {
  readonly #file: string | null;
  /** What has landed, and what a restart would find. */
  #landed: Map<string, string>;
  /** Includes what is being written now. */
  readonly #next: Map<string, string>;
  #writing: Promise<void> = Promise.resolve();
  #queued: Promise<void> | null = null;

  private constructor(file: string | null, accounts: Map<string, string>) {
    this.#file = file;
    this.#landed = accounts;
    this.#next = new Map(accounts);
  }

  /**
   * @param file where the state lives, or null to keep it in memory only. A missing file is an
   *   empty chain.
   * @throws Error when the file exists and is not a state written by a development chain.
   */
  static async open(file: string | null): Promise<DevChainLedger> {
    return new DevChainLedger(file, file === null ? new Map() : await readState(file));
  }

  /** `0x` + 64 hex digits, or null while the account is not on this chain. */
  commitmentOf(accountId: string): string | null {
    return this.#landed.get(accountId) ?? null;
  }

  /**
   * Returns once the commitment is durable; only then does the chain show it. Commitments that
   * arrive while the file is being written share the next write.
   * @throws DevChainFullError
   */
  async land(accountId: string, commitment: string): Promise<void> {
    if (!this.#next.has(accountId) && this.#next.size >= devChainLimits.accounts) {
      throw new DevChainFullError('the development chain holds no more accounts');
    }
    this.#next.set(accountId, commitment);
    if (this.#file === null) {
      this.#landed.set(accountId, commitment);
      return;
    }
    this.#queued ??= this.#writeAfterCurrent(this.#file);
    await this.#queued;
  }

  /** Waits for the writes under way. */
  async settled(): Promise<void> {
    await (this.#queued ?? this.#writing).catch(() => undefined);
  }

  async #writeAfterCurrent(file: string): Promise<void> {
    await this.#writing.catch(() => undefined);
    this.#queued = null;
    const accounts = new Map(this.#next);
    this.#writing = writeState(file, accounts).then(() => {
      this.#landed = accounts;
    });
    await this.#writing;
  }
}

async function readState(file: string): Promise<Map<string, string>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
    throw error;
  }
  try {
    return new Map(Object.entries(v.parse(fileSchema, JSON.parse(text)).accounts));
  } catch (cause) {
    throw new Error(`${file} is not the state of a development chain`, { cause });
  }
}

/** A reader or a restart sees the old state or the new one, never a part. */
async function writeState(file: string, accounts: ReadonlyMap<string, string>): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(`${JSON.stringify({ accounts: Object.fromEntries(accounts) })}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
