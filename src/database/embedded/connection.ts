import { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers';
import { rewrite, type ClientState } from './rewrite.ts';
import { fromClient, splitMessages, startupAnswer, startupCode } from './wire.ts';

/** What a connection tells the hub. */
export interface ConnectionHost {
  /** A group of messages is complete and may run. */
  groupReady(connection: EmbeddedConnection): void;
  /** The client is gone, whichever way. */
  dropped(connection: EmbeddedConnection): void;
}

/** Messages that end a group: what comes before them must run in one go, in order. */
const groupEnds: ReadonlySet<number> = new Set([
  fromClient.query,
  fromClient.sync,
  fromClient.flush,
  fromClient.copyDone,
  fromClient.copyFail,
]);

let lastId = 0;

/**
 * One client's connection to the embedded database: to postgres.js and pg it looks like a
 * `net.Socket`, to the hub like a queue of message groups.
 */
export class EmbeddedConnection extends Duplex implements ClientState {
  readonly id = ++lastId;
  readonly channels = new Set<string>();
  readonly statements = new Set<string>();
  unlistened = false;
  /** Groups that wait for their turn. */
  groups: Buffer[] = [];
  gone = false;

  readonly #host: ConnectionHost;
  #input: Buffer = Buffer.alloc(0);
  #group: Buffer[] = [];
  #started = false;

  constructor(host: ConnectionHost) {
    super({ allowHalfOpen: false });
    this.#host = host;
  }

  // The members of net.Socket that the two drivers use beyond those of a stream.
  connect(): this {
    queueMicrotask(() => this.emit('connect'));
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  /** postgres.js asks before it says goodbye. */
  get readyState(): 'open' | 'closed' {
    return this.destroyed ? 'closed' : 'open';
  }

  /** Sends bytes to the client, unless it is gone. */
  answer(bytes: Buffer): void {
    if (!this.gone && bytes.length > 0) this.push(bytes);
  }

  override _read(): void {
    // Answers are pushed when they exist; a turn is short, so there is nothing to hold back.
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    const bytes = Buffer.from(chunk);
    // Not in the caller's stack: postgres.js loses bytes that arrive inside its own write().
    queueMicrotask(() => this.#receive(bytes));
    done();
  }

  override _final(done: () => void): void {
    this.disconnect();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.disconnect();
    done(error);
  }

  /** Ends the connection from the server's side; an open transaction is rolled back. */
  disconnect(): void {
    if (this.gone) return;
    this.gone = true;
    this.groups = [];
    this.#group = [];
    // Destroyed, not just ended: a client that stopped reading would never see 'close'.
    setImmediate(() => this.destroy());
    this.#host.dropped(this);
  }

  #receive(bytes: Buffer): void {
    if (this.gone) return;
    this.#input = this.#input.length > 0 ? Buffer.concat([this.#input, bytes]) : bytes;
    while (!this.#started) if (!this.#takeStartup()) return;
    const { messages, rest } = splitMessages(this.#input);
    this.#input = rest;
    for (const one of messages) {
      const type = one[0] ?? 0;
      if (type === fromClient.terminate) {
        this.push(null);
        this.disconnect();
        return;
      }
      this.#group.push(rewrite(one, this));
      if (!groupEnds.has(type)) continue;
      this.groups.push(Buffer.concat(this.#group));
      this.#group = [];
      this.#host.groupReady(this);
    }
  }

  /** Answers one untyped first message; false when its bytes are not all here or it was the last. */
  #takeStartup(): boolean {
    if (this.#input.length < 8) return false;
    const length = this.#input.readInt32BE(0);
    const code = this.#input.readInt32BE(4);
    if (this.#input.length < length) return false;
    this.#input = this.#input.subarray(length);
    if (code === startupCode.ssl || code === startupCode.gss) {
      this.push(Buffer.from('N')); // not offered
      return true;
    }
    if (code === startupCode.cancel) {
      this.push(null); // nothing can interrupt the engine inside its own event loop
      return false;
    }
    this.#started = true;
    this.push(startupAnswer(this.id));
    return true;
  }
}
