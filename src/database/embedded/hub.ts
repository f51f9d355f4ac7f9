/**
 * Many Postgres connections onto one PGlite, in one process, without a socket.
 *
 * PGlite is one session. The hub hands each client (postgres.js through its `socket` option,
 * pg and graphile-worker through `stream`) a connection of its own and lets one of them at a
 * time own the session: from its first message until a ReadyForQuery outside a transaction.
 * So neither transactions nor Parse/Bind/Execute groups of two clients can interleave.
 *
 * What stays shared, because there is one session: plain SET (use SET LOCAL), temporary tables,
 * session-level advisory locks (use pg_advisory_xact_lock) and pg_backend_pid().
 */
import { Buffer } from 'node:buffer';
import { clearTimeout, setTimeout } from 'node:timers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { databaseLimits } from '../../limits.ts';
import { EmbeddedConnection, type ConnectionHost } from './connection.ts';
import {
  closeStatement,
  fatalError,
  fromClient,
  fromServer,
  idleStatus,
  queryMessage,
  readCstring,
  splitMessages,
  syncMessage,
} from './wire.ts';

/** The part of PGlite the hub needs; nobody else may use the same PGlite. */
export interface Engine {
  execProtocolRawStream(
    message: Uint8Array,
    options: { onRawData: (data: Uint8Array) => void },
  ): Promise<void>;
}

export interface HubOptions {
  /** Cuts off a client that keeps a transaction open this long without sending a message. */
  idleInTransactionMs?: number | undefined;
  /** The engine itself failed: its state is unknown, the process should end and start again. */
  onFatal: (error: Error) => void;
}

export class EmbeddedHub implements ConnectionHost {
  readonly #engine: Engine;
  readonly #idleInTransactionMs: number;
  readonly #onFatal: (error: Error) => void;
  readonly #connections = new Set<EmbeddedConnection>();
  #waiting: EmbeddedConnection[] = [];
  #owner: EmbeddedConnection | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #pumping: Promise<void> | undefined;
  #failure: Error | undefined;
  /** Of the turn of the event loop that queries run in, on performance.now(). */
  #turnStarted = 0;

  constructor(engine: Engine, options: HubOptions) {
    this.#engine = engine;
    this.#idleInTransactionMs = options.idleInTransactionMs ?? databaseLimits.idleInTransactionMs;
    this.#onFatal = options.onFatal;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** A new connection, for postgres.js as `socket`, for pg as `stream`. */
  connect(): EmbeddedConnection {
    if (this.#failure) throw this.#failure;
    const connection = new EmbeddedConnection(this);
    this.#connections.add(connection);
    return connection;
  }

  /** Drops every connection (open transactions are rolled back) and waits for the engine. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.disconnect();
    while (this.#pumping) await this.#pumping;
    clearTimeout(this.#idleTimer);
  }

  groupReady(connection: EmbeddedConnection): void {
    if (connection !== this.#owner && !this.#waiting.includes(connection)) {
      this.#waiting.push(connection);
    }
    this.#pump();
  }

  dropped(connection: EmbeddedConnection): void {
    this.#connections.delete(connection);
    if (connection === this.#owner) {
      this.#pump();
    } else if (connection.statements.size > 0) {
      // One last turn, to give its prepared statements back.
      connection.groups = [syncMessage];
      this.groupReady(connection);
    }
  }

  #pump(): void {
    if (this.#failure) return;
    this.#pumping ??= this.#runGroups()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#pumping = undefined;
        // A message may have arrived after the last look and before this line.
        if (this.#owner ? this.#ownerHasWork() : this.#waiting.length > 0) this.#pump();
      });
  }

  #ownerHasWork(): boolean {
    return this.#owner !== undefined && (this.#owner.gone || this.#owner.groups.length > 0);
  }

  async #runGroups(): Promise<void> {
    for (;;) {
      // The engine answers in microtasks: without a break, everything that waits would run in one
      // turn of the event loop, and sockets and timers after it.
      if (performance.now() - this.#turnStarted > databaseLimits.embeddedTurnMs) {
        await nextTurn();
        this.#turnStarted = performance.now();
      }
      this.#owner ??= this.#nextOwner();
      const owner = this.#owner;
      if (!owner) return;
      clearTimeout(this.#idleTimer);
      const group = owner.groups.shift();
      if (group) {
        await this.#runGroup(owner, group);
      } else if (owner.gone) {
        await this.#rollBack(owner);
      } else {
        // Between two messages of its transaction: everybody else waits.
        this.#idleTimer = setTimeout(() => this.#cutOff(owner), this.#idleInTransactionMs);
        this.#idleTimer.unref();
        return;
      }
    }
  }

  #nextOwner(): EmbeddedConnection | undefined {
    for (;;) {
      const next = this.#waiting.shift();
      if (!next || next.groups.length > 0) return next;
    }
  }

  async #runGroup(owner: EmbeddedConnection, group: Buffer): Promise<void> {
    const status = await this.#execute(group, owner);
    const mustAnswer = group[0] === fromClient.query || group.at(-5) === fromClient.sync;
    if (status === undefined && mustAnswer) {
      throw new Error('The embedded database did not answer: its state is unknown');
    }
    if (status !== idleStatus) return;
    if (owner.gone) await this.#forgetStatements(owner);
    await this.#release(owner);
  }

  async #rollBack(owner: EmbeddedConnection): Promise<void> {
    await this.#execute(syncMessage); // the client may have stopped in the middle of a group
    await this.#execute(queryMessage('rollback'));
    await this.#forgetStatements(owner);
    await this.#release(owner);
  }

  async #release(owner: EmbeddedConnection): Promise<void> {
    if (owner.unlistened) {
      owner.unlistened = false;
      await this.#listenAgain();
    }
    this.#owner = undefined;
    if (owner.groups.length > 0) this.#waiting.push(owner);
  }

  /** One client's UNLISTEN must not deafen the others. */
  async #listenAgain(): Promise<void> {
    const wanted = new Set([...this.#connections].flatMap((one) => [...one.channels]));
    for (const channel of wanted) {
      await this.#execute(queryMessage(`listen "${channel.replaceAll('"', '""')}"`));
    }
  }

  async #forgetStatements(owner: EmbeddedConnection): Promise<void> {
    for (const name of owner.statements) {
      await this.#execute(Buffer.concat([closeStatement(name), syncMessage]));
    }
    owner.statements.clear();
  }

  /**
   * Runs one group and hands the answers out: notifications to those that listen, the rest to
   * the client. Returns the status of the last ReadyForQuery, undefined when there was none.
   */
  async #execute(group: Buffer, client?: EmbeddedConnection): Promise<number | undefined> {
    const chunks: Buffer[] = [];
    await this.#engine.execProtocolRawStream(group, {
      onRawData: (data) => chunks.push(Buffer.from(data)), // a copy: the memory is the engine's
    });
    let status: number | undefined;
    const forClient: Buffer[] = [];
    for (const one of splitMessages(Buffer.concat(chunks)).messages) {
      if (one[0] === fromServer.notification) {
        this.#notify(one);
        continue;
      }
      if (one[0] === fromServer.readyForQuery) status = one[5];
      forClient.push(one);
    }
    client?.answer(Buffer.concat(forClient));
    return status;
  }

  #notify(notification: Buffer): void {
    const channel = readCstring(notification, 9);
    for (const one of this.#connections) if (one.channels.has(channel)) one.answer(notification);
  }

  #cutOff(owner: EmbeddedConnection): void {
    if (this.#owner !== owner || owner.groups.length > 0) return;
    const reason =
      `terminating connection: idle in transaction for ${this.#idleInTransactionMs} ms ` +
      '(the embedded database is one session: everybody else was waiting)';
    owner.answer(fatalError('25P03', reason));
    owner.push(null);
    owner.disconnect();
  }

  /** Not an SQL error: the engine failed, and nothing it says can be trusted any more. */
  #fail(cause: unknown): void {
    this.#failure = new Error('The embedded database failed', { cause });
    for (const connection of this.#connections) connection.destroy(this.#failure);
    this.#onFatal(this.#failure);
  }
}
