import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';

import {
  decodeAccountCommitment,
  encodeAccountRequest,
  encodeAccountResponse,
} from '../../../../../src/guardian/networks/miden/rpc/account-messages.ts';
import {
  frameMessage,
  unaryResponse,
} from '../../../../../src/guardian/networks/miden/rpc/grpc-web.ts';
import { MidenNode } from '../../../../../src/guardian/networks/miden/rpc/node.ts';
import {
  bytesField,
  concatBytes,
} from '../../../../../src/guardian/networks/miden/rpc/protobuf.ts';
import { ChainError } from '../../../../../src/guardian/networks/network.ts';

const ACCOUNT = '0x25ae6647d3c87001607b46e56f1260';
const OTHER = '0x25ae6647d3c87001607b46e56f1261';
const COMMITMENT = '0x552759e4000000000100000000000000000000000000000004030201f0f0f0f0';
const SECRET = 'SECRET-BODY';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

async function serve(answer: Answer): Promise<{ endpoint: string; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    sockets.add(request.socket);
    request.resume().on('end', () => {
      answer(response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { endpoint: `http://127.0.0.1:${String(address.port)}`, sockets };
}

const GRPC_WEB = { 'content-type': 'application/grpc-web+proto' };

function sending(body: Uint8Array | string, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(200, { ...GRPC_WEB, ...headers });
    response.end(body);
  };
}

function reader(endpoint: string, options: { timeoutMs?: number; maxAttempts?: number } = {}) {
  return new MidenNode({ endpoint, timeoutMs: 1_000, maxAttempts: 1, ...options });
}

async function failure(answer: Answer, options?: { timeoutMs?: number }): Promise<string> {
  const { endpoint } = await serve(answer);
  const error: unknown = await reader(endpoint, options)
    .accountCommitment(ACCOUNT)
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ChainError);
  const { message } = error as ChainError;
  expect(message).toContain(endpoint);
  expect(message).not.toContain(SECRET);
  return message;
}

const GOOD = encodeAccountResponse(ACCOUNT, COMMITMENT);

test('the request is the bytes a Miden node expects', () => {
  const id = [
    ...Uint8Array.from(ACCOUNT.slice(2).match(/../g)!, (hex) => Number.parseInt(hex, 16)),
  ];
  expect([...encodeAccountRequest(ACCOUNT)]).toEqual([0x0a, 0x11, 0x0a, 0x0f, ...id]);
});

test('reads a commitment, and the zero word as absence', async () => {
  const { endpoint } = await serve(sending(unaryResponse(GOOD, 0)));
  expect(await reader(endpoint).accountCommitment(ACCOUNT)).toBe(COMMITMENT);
  const absent = await serve(sending(unaryResponse(encodeAccountResponse(ACCOUNT, null), 0)));
  expect(await reader(`${absent.endpoint}/`).accountCommitment(ACCOUNT)).toBeNull();
});

test('skips what newer nodes may add and reads chunks of any size', async () => {
  const extra = concatBytes(Uint8Array.of(0x08, 0xff, 0x01), GOOD, Uint8Array.of(0x1d, 1, 2, 3, 4));
  const body = unaryResponse(extra, 0);
  const { endpoint } = await serve((response) => {
    response.writeHead(200, { 'content-type': 'application/grpc-web+proto; charset=utf-8' });
    for (const byte of body) response.write(Uint8Array.of(byte));
    response.end();
  });
  expect(await reader(endpoint).accountCommitment(ACCOUNT)).toBe(COMMITMENT);
});

function accountIdMessage(accountId: string): Uint8Array {
  return encodeAccountRequest(accountId).subarray(2);
}

test('a witness of another account with the same prefix means absence', () => {
  const digest = bytesField(3, Uint8Array.of(0x09, 1, 0, 0, 0, 0, 0, 0, 0));
  const witness = (asked: string, found: string) =>
    bytesField(
      2,
      concatBytes(
        bytesField(1, accountIdMessage(asked)),
        bytesField(2, accountIdMessage(found)),
        digest,
      ),
    );
  expect(decodeAccountCommitment(witness(ACCOUNT, OTHER), ACCOUNT)).toBeNull();
  expect(decodeAccountCommitment(witness(ACCOUNT, ACCOUNT), ACCOUNT)).toMatch(/^0x01/);
  expect(() => decodeAccountCommitment(witness(OTHER, OTHER), ACCOUNT)).toThrow('another account');
});

test('asks again over the same connection', async () => {
  const { endpoint, sockets } = await serve(sending(unaryResponse(GOOD, 0)));
  for (let i = 0; i < 5; i += 1) await reader(endpoint).accountCommitment(ACCOUNT);
  // A second one may open while the first is being handed back.
  expect(sockets.size).toBeLessThanOrEqual(2);
});

const TRUNCATED_FRAME = unaryResponse(GOOD, 0).subarray(0, 20);
const truncated = (length: number) => unaryResponse(GOOD.subarray(0, length), 0);

test.each<[string, Answer, RegExp]>([
  ['an HTTP error', (r) => r.writeHead(500).end(SECRET), /HTTP status 500/],
  ['a redirect', (r) => r.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(), /status 307/],
  ['HTML', (r) => r.writeHead(200, { 'content-type': 'text/html' }).end(SECRET), /content type/],
  [
    'text framing',
    sending('AAAA', { 'content-type': 'application/grpc-web-text' }),
    /content type/,
  ],
  ['nothing', sending(''), /no grpc-status/],
  ['no trailers', sending(frameMessage(GOOD)), /no grpc-status/],
  [
    'trailers without status',
    sending(concatBytes(frameMessage(GOOD), Uint8Array.of(0x80, 0, 0, 0, 0))),
    /no grpc-status/,
  ],
  ['only trailers', sending(unaryResponse(null, 0)), /no message/],
  [
    'a status in headers',
    sending('', { 'grpc-status': '5', 'grpc-message': SECRET }),
    /gRPC status 5$/,
  ],
  ['a status in trailers', sending(unaryResponse(null, 13)), /gRPC status 13$/],
  ['a status that is text', sending('', { 'grpc-status': SECRET }), /not a number/],
  ['a cut frame', sending(TRUNCATED_FRAME), /cut off/],
  ['a cut frame header', sending(Uint8Array.of(0, 0)), /cut off/],
  ['a frame of 4 GB', sending(Uint8Array.of(0, 255, 255, 255, 255, 1)), /cut off/],
  ['a compressed frame', sending(Uint8Array.of(1, 0, 0, 0, 0)), /unknown flags/],
  [
    'two messages',
    sending(concatBytes(frameMessage(GOOD), unaryResponse(GOOD, 0))),
    /two messages/,
  ],
  [
    'data after trailers',
    sending(concatBytes(unaryResponse(GOOD, 0), frameMessage(GOOD))),
    /behind/,
  ],
  ['an empty message', sending(unaryResponse(new Uint8Array(0), 0)), /witness is missing/],
  ['two witnesses', sending(unaryResponse(concatBytes(GOOD, GOOD), 0)), /repeated/],
  ['half a message', sending(truncated(20)), /runs past/],
  ['an endless varint', sending(unaryResponse(new Uint8Array(40).fill(0xff), 0)), /varint/],
  [
    'a huge length',
    sending(unaryResponse(Uint8Array.of(0x12, 0xff, 0xff, 0xff, 0xff, 0x0f), 0)),
    /runs past/,
  ],
  ['a group', sending(unaryResponse(Uint8Array.of(0x13), 0)), /unknown/],
  ['a witness as number', sending(unaryResponse(Uint8Array.of(0x10, 1), 0)), /wrong type/],
  [
    'another account',
    sending(unaryResponse(encodeAccountResponse(OTHER, COMMITMENT), 0)),
    /another account/,
  ],
  [
    'no field element',
    sending(unaryResponse(encodeAccountResponse(ACCOUNT, `0x${'ff'.repeat(32)}`), 0)),
    /not a field element/,
  ],
  ['a broken connection', (r) => r.destroy(), /could not be reached/],
])('%s is a ChainError', async (_name, answer, text) => {
  expect(await failure(answer)).toMatch(text);
});

test('every cut of a good answer is a ChainError, never a wrong commitment', async () => {
  for (let length = 0; length < GOOD.length; length += 1) {
    expect(() => decodeAccountCommitment(GOOD.subarray(0, length), ACCOUNT)).toThrow();
  }
  expect(decodeAccountCommitment(GOOD, ACCOUNT)).toBe(COMMITMENT);
});

test('stops reading an endless body', async () => {
  let sent = 0;
  const message = await failure((response) => {
    response.writeHead(200, GRPC_WEB);
    const more = () => {
      while (!response.destroyed && response.write(new Uint8Array(16_384))) sent += 16_384;
      response.once('drain', more);
    };
    more();
  });
  expect(message).toMatch(/too large/);
  await vi.waitFor(() => {
    expect(sent).toBeLessThan(20_000_000);
  });
});

test.each<[string, Answer]>([
  ['no answer', () => undefined],
  ['a body that never ends', (r) => r.writeHead(200, GRPC_WEB).write('\0')],
  [
    'a drip',
    (r) => {
      r.writeHead(200, GRPC_WEB);
      const timer = setInterval(() => r.write('\0'), 20);
      r.on('close', () => {
        clearInterval(timer);
      });
    },
  ],
])('the deadline covers %s', async (_name, answer) => {
  const started = performance.now();
  expect(await failure(answer, { timeoutMs: 120 })).toMatch(/did not answer in time/);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('tries again after a passing failure only, and no more often than told', async () => {
  let calls = 0;
  const flaky = await serve((response) => {
    calls += 1;
    if (calls < 3) response.writeHead(503).end(SECRET);
    else sending(unaryResponse(GOOD, 0))(response, undefined as never);
  });
  expect(await reader(flaky.endpoint, { maxAttempts: 3 }).accountCommitment(ACCOUNT)).toBe(
    COMMITMENT,
  );
  expect(calls).toBe(3);

  calls = -100;
  await expect(
    reader(flaky.endpoint, { maxAttempts: 2 }).accountCommitment(ACCOUNT),
  ).rejects.toThrow('503');
  expect(calls).toBe(-98);

  let refusals = 0;
  const refusing = await serve((response) => {
    refusals += 1;
    sending(unaryResponse(null, 3))(response, undefined as never);
  });
  await expect(
    reader(refusing.endpoint, { maxAttempts: 3 }).accountCommitment(ACCOUNT),
  ).rejects.toThrow('status 3');
  expect(refusals).toBe(1);
});

test('an unreachable node is a ChainError that names it', async () => {
  await expect(reader('http://127.0.0.1:9').accountCommitment(ACCOUNT)).rejects.toThrow(
    /^Miden node http:\/\/127\.0\.0\.1:9 could not be reached/,
  );
});

test('an account id of another form is a mistake of the caller', async () => {
  await expect(reader('http://127.0.0.1:9').accountCommitment('0x12')).rejects.toThrow(TypeError);
});

test.each(['ftp://node', 'http://user:SECRET-BODY@node', 'http://SECRET-BODY@node', 'SECRET-BODY'])(
  'the endpoint %s is refused',
  (endpoint) => {
    expect(() => reader(endpoint)).toThrow(TypeError);
    expect(() => reader(endpoint)).toThrow(/^(?!.*SECRET)/);
  },
);
