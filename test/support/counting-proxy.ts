/**
 * A TCP proxy before Postgres that counts what a client waits for, and makes every wait as long
 * as the network of a real deployment does.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface CountingProxy {
  /** The same URL through the proxy. */
  url: string;
  /**
   * Times that a client asked for an answer since the last call: a Sync or a simple Query, which
   * the server answers with ReadyForQuery, or a Flush before either of them.
   */
  takeRoundTrips(): number;
  /** From now on a round trip takes this long, besides the server's own time. */
  setRoundTripMs(ms: number): void;
  close(): Promise<void>;
}

/** Message types that end what a client sends before it waits: Sync, Query, Flush. */
const asksForAnswer = new Set(['S', 'Q', 'H'].map((type) => type.charCodeAt(0)));

export async function startCountingProxy(databaseUrl: string): Promise<CountingProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let roundTrips = 0;
  let roundTripMs = 0;
  const pass = (from: Socket, to: Socket, look: (bytes: Uint8Array) => void) => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes: Uint8Array) => {
      look(bytes);
      // half of the way there, half of the way back; equal delays keep their order
      if (roundTripMs === 0) to.write(bytes);
      else setTimeout(() => to.write(bytes), roundTripMs / 2);
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    const readTypes = frontendMessages();
    pass(near, far, (bytes) => {
      roundTrips += readTypes(bytes).filter((type) => asksForAnswer.has(type)).length;
    });
    pass(far, near, () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return {
    url: url.href,
    takeRoundTrips() {
      const taken = roundTrips;
      roundTrips = 0;
      return taken;
    },
    setRoundTripMs: (ms) => {
      roundTripMs = ms;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Reads one client's stream in whatever pieces it comes; gives the types of whole messages. */
function frontendMessages(): (bytes: Uint8Array) => number[] {
  let pending = new Uint8Array();
  // the first message, which starts the session, has no type
  let typed = false;
  return (bytes) => {
    const all = new Uint8Array(pending.length + bytes.length);
    all.set(pending);
    all.set(bytes, pending.length);
    const view = new DataView(all.buffer);
    const types: number[] = [];
    let at = 0;
    for (;;) {
      const head = typed ? 1 : 0;
      if (all.length - at < head + 4) break;
      const length = head + view.getUint32(at + head);
      if (all.length - at < length) break;
      if (typed) types.push(view.getUint8(at));
      typed = true;
      at += length;
    }
    pending = all.slice(at);
    return types;
  };
}
