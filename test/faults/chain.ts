/** A chain under the lab's control: it answers the node's one call honestly, late, wrongly or not. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeAccountRequest,
  encodeAccountResponse,
} from '../../src/guardian/networks/miden/rpc/account-messages.ts';
import {
  GRPC_WEB_CONTENT_TYPE,
  readUnaryBody,
  unaryResponse,
} from '../../src/guardian/networks/miden/rpc/grpc-web.ts';
import { concatBytes } from '../../src/guardian/networks/miden/rpc/protobuf.ts';
import type { Random } from './random.ts';

/** Lies that cannot be taken for an answer, and one that can (`foreign`). */
const lies = ['garbage', 'frames', 'huge', 'other_account', 'refusal', 'cut'] as const;
export type ChainMode =
  'honest' | 'slow' | 'refuse' | 'error' | 'hang' | 'lying' | 'foreign' | 'flapping';

export interface LabChain {
  url: string;
  /** The account is at this commitment from now on. */
  land(account: string, commitment: string): void;
  set(mode: ChainMode): Promise<void>;
  calls(): number;
  close(): Promise<void>;
}

interface AccountOnChain {
  commitments: string[];
  looks: number;
}

export async function startLabChain(random: Random): Promise<LabChain> {
  const accounts = new Map<string, AccountOnChain>();
  let mode: ChainMode = 'honest';
  let calls = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    calls += 1;
    const account = decodeAccountRequest(readUnaryBody(await bodyOf(request)).message!);
    await sleep(mode === 'slow' ? random.between(300, 900) : random.between(2, 40));
    const known = accounts.get(account) ?? { commitments: [], looks: 0 };
    known.looks += 1;
    respond(response, mode, account, known, random);
  };
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  const { port } = address;
  const shut = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    land(account, commitment) {
      const known = accounts.get(account) ?? { commitments: [], looks: 0 };
      known.commitments.push(commitment);
      accounts.set(account, known);
    },
    async set(next) {
      mode = next;
      if (next === 'refuse') return shut();
      // requests that hang are let go, as a restarted node would
      for (const socket of sockets) socket.destroy();
      if (server.listening) return;
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    calls: () => calls,
    close: shut,
  };
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return concatBytes(...chunks);
}

function respond(
  response: ServerResponse,
  mode: ChainMode,
  account: string,
  known: AccountOnChain,
  random: Random,
): void {
  const send = (body: Uint8Array, status = 200) => {
    response.writeHead(status, { 'content-type': GRPC_WEB_CONTENT_TYPE });
    response.end(body);
  };
  const current = known.commitments.at(-1) ?? null;
  const honest = (commitment: string | null, asked = account) =>
    unaryResponse(encodeAccountResponse(asked, commitment), 0);
  switch (mode) {
    case 'hang':
      return;
    case 'error':
      return send(new Uint8Array(), random.pick([500, 502, 503, 504, 429]));
    case 'foreign':
      return send(honest(random.chance(0.5) ? foreignCommitment(random) : current));
    case 'lying':
      return lie(send, honest, account, current, random);
    case 'flapping':
      // the base again, then what is there, then nothing: evidence of both, in turns
      if (known.looks % 3 === 0) return send(new Uint8Array(), 503);
      return send(honest(known.looks % 3 === 1 ? (known.commitments.at(-2) ?? null) : current));
    default:
      send(honest(current));
  }
}

function lie(
  send: (body: Uint8Array, status?: number) => void,
  honest: (commitment: string | null, asked?: string) => Uint8Array,
  account: string,
  current: string | null,
  random: Random,
): void {
  const body = honest(current);
  switch (random.pick(lies)) {
    case 'garbage':
      return send(
        Uint8Array.from({ length: random.between(0, 400) }, () => random.between(0, 255)),
      );
    case 'frames': {
      const wrong = Uint8Array.from(body);
      wrong[random.between(0, 4)] = random.between(1, 255);
      return send(wrong);
    }
    case 'huge':
      return send(new Uint8Array(4_000_000).fill(7));
    case 'other_account':
      return send(honest(foreignCommitment(random), `0x${account.slice(4)}00`));
    case 'refusal':
      return send(unaryResponse(null, random.between(1, 16)));
    case 'cut':
      return send(body.subarray(0, random.between(1, body.length - 1)));
  }
}

/** Four elements below 2^56, so each is one of the field. */
function foreignCommitment(random: Random): string {
  const element = () =>
    `${Array.from({ length: 7 }, () => random.between(0, 255).toString(16).padStart(2, '0')).join('')}00`;
  return `0x${element()}${element()}${element()}${element()}`;
}
