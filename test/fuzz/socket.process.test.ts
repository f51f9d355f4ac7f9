/** What only a socket shows: sizes of headers and of requests, as Node and Deno take them. */
import fc from 'fast-check';
import net from 'node:net';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSystem, type System } from '../support/system.ts';
import { contract } from '../http/contract/judge.ts';
import { openHolder, type Send } from '../http/signed.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);

/** Sends bytes as they are; what came back until the server closed, or a second of silence. */
async function talk(url: string, bytes: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (data) => (answer += data.toString('latin1')));
  socket.on('error', () => {}); // the server may close while it is still being written to
  socket.setTimeout(1_000, () => socket.destroy());
  socket.on('connect', () => socket.write(bytes));
  // not `once`, which takes a reset for a failure
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}

const get = (headers: string) =>
  `GET /state?account_id=0x${'ab'.repeat(15)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`;

describe.each(['node', 'deno'] as const)('on %s', (runtime) => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem(runtime, 18);
  });
  afterAll(() => system?.stop());
  const send: Send = (path, init) => fetch(system.url + path, init);

  it('takes the headers of a Falcon signature, 5 KB of them', async () => {
    const holder = await openHolder(send, 'falcon');
    const { path, init } = holder.get('/state');
    const size = Object.values(init.headers).join('').length;
    expect(size).toBeGreaterThan(4_500);
    expect((await send(path, init)).status).toBe(200);
  });

  it('serves the contract, and the page with its script', async () => {
    expect(await (await send('/api-docs/openapi.json')).json()).toEqual(contract);
    expect(await (await send('/api-docs')).text()).toContain('<openapi-explorer');
    expect((await (await send('/api-docs/explorer.js')).text()).length).toBeGreaterThan(500_000);
  });

  it.each([1_000, 8_000, 14_000, 15_500, 17_000, 100_000, 1_000_000])(
    'answers or closes at headers of %i bytes, and goes on',
    async (size) => {
      const answer = await talk(system.url, get(`x-signature: ${'f'.repeat(size)}\r\n`));
      // 401: it was read and means nothing; 431, on Deno also 400: too large; closed: too large to be answered
      expect(answer).toMatch(/^(?:HTTP\/1\.1 (?:400|401|431) |$)/);
      if (size <= 14_000) expect(answer).toMatch(/^HTTP\/1\.1 401 [^]*"authentication_failed"/);
      expect(answer).not.toMatch(/node_modules|\.ts:|\n\s+at /);
      expect((await send('/healthz')).status).toBe(200);
    },
  );

  it('survives bytes that are no request', async () => {
    const start = fc.constantFrom(
      'GET ',
      'POST /delta HTTP/1.1\r\n',
      '\x16\x03\x01',
      'PRI * HTTP/2.0',
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 60 }), async (text, bytes) => {
        const answer = await talk(
          system.url,
          Uint8Array.from([...new TextEncoder().encode(text), ...bytes, 13, 10, 13, 10]),
        );
        expect(answer).toMatch(/^(?:HTTP\/1\.[01] [1-4]\d\d |$)/);
        expect(answer).not.toMatch(/node_modules|\.ts:|\n\s+at /);
      }),
      { numRuns: 30, seed, endOnFailure: true },
    );
    expect((await send('/healthz')).status).toBe(200);
  });

  it('refuses a body that is announced too large before it is sent', async () => {
    const answer = await talk(
      system.url,
      'POST /delta HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*"invalid_input"/);
  });
});
