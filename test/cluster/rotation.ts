/**
 * An HTTP proxy that gives every request to the next replica, also the requests that come over
 * one connection: nothing a client does sticks to a process.
 */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A replica that refused a connection is left out for so long. */
const deadForMs = 1_000;

export interface Backend {
  name: string;
  url: string;
}

interface Known extends Backend {
  deadUntil: number;
}

export interface Rotation {
  url: string;
  add(backend: Backend): void;
  /** No further request goes there; those under way go on. */
  remove(name: string): void;
  close(): Promise<void>;
}

/** @param port 0 takes a free one. */
export async function startRotation(port = 0): Promise<Rotation> {
  let backends: Known[] = [];
  let turn = 0;
  /** Every replica once, those that are taken for dead last. */
  const inTurn = (): Known[] => {
    turn += 1;
    const order = backends.map((_, at) => backends[(turn + at) % backends.length]!);
    const now = performance.now();
    const alive = order.filter(({ deadUntil }) => deadUntil <= now);
    return [...alive, ...order.filter((backend) => !alive.includes(backend))];
  };
  const server = createServer((incoming, outgoing) => {
    void forward(inTurn(), incoming, outgoing);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  return {
    url: `http://127.0.0.1:${address.port}`,
    add: (backend) => {
      backends = [...backends, { ...backend, deadUntil: 0 }];
    },
    remove: (name) => {
      backends = backends.filter((backend) => backend.name !== name);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Only a refused connection moves a request on: no replica has seen a byte of it then. */
async function forward(
  backends: Known[],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  for (const backend of backends) {
    try {
      const socket = await open(backend.url);
      backend.deadUntil = 0;
      return pass(backend, socket, incoming, outgoing);
    } catch (error) {
      backend.deadUntil = performance.now() + deadForMs;
      if (!(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')) break;
    }
  }
  refuse(outgoing, 'no replica takes connections');
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket;
}

function pass(
  backend: Known,
  socket: Socket,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const { connection: _, ...headers } = incoming.headers;
  const upstream = request({
    createConnection: () => socket,
    method: incoming.method,
    path: incoming.url,
    headers: { ...headers, connection: 'close' },
  });
  upstream.on('response', (answer) => {
    const { connection: __, 'keep-alive': ___, ...rest } = answer.headers;
    outgoing.writeHead(answer.statusCode ?? 502, { ...rest, 'x-answered-by': backend.name });
    answer.on('error', () => outgoing.destroy());
    answer.pipe(outgoing);
  });
  upstream.on('error', () => refuse(outgoing, `${backend.name} broke off`));
  // a client that went away needs no answer
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

function refuse(outgoing: ServerResponse, why: string): void {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(502, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify({ code: 'bad_gateway', message: why, meta: { retryable: true } }));
}
