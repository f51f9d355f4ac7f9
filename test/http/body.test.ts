/** Bodies as they come in, piece by piece. */
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readJsonText } from '../../src/http/body.ts';
import { errorHandler } from '../../src/http/errors.ts';
import { httpLimits } from '../../src/limits.ts';
import { createLog } from '../../src/observability/log.ts';

const app = new Hono();
app.onError(errorHandler(createLog('silent')));
app.post('/', async (c) => c.text(await readJsonText(c, 100)));

const headers = { 'content-type': 'application/json' };
const post = (body: ReadableStream<Uint8Array>) =>
  Promise.resolve(
    app.request('/', { method: 'POST', headers, body, duplex: 'half' } as RequestInit),
  );
const byte = Uint8Array.of(0x20);

describe('a request body', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('that trickles is answered 408 and let go after half a minute, however alive it looks', async () => {
    let cancelled = false;
    let timer: NodeJS.Timeout | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(stream) {
        timer = setInterval(() => stream.enqueue(byte), 1_000);
      },
      cancel() {
        cancelled = true;
        clearInterval(timer);
      },
    });
    const answering = post(body);
    await vi.advanceTimersByTimeAsync(httpLimits.bodyMs - 1);
    expect(cancelled).toBe(false);
    await vi.advanceTimersByTimeAsync(2);
    const answer = await answering;
    expect(answer.status).toBe(408);
    expect(answer.headers.get('connection')).toBe('close');
    expect(await answer.json()).toMatchObject({ code: 'invalid_input' });
    expect(cancelled).toBe(true);
  });

  it('that breaks off is the client’s fault, not a failure of the service', async () => {
    const body = new ReadableStream<Uint8Array>({
      start(stream) {
        stream.enqueue(byte);
        stream.error(new Error('aborted'));
      },
    });
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'invalid_input' });
  });

  it('that arrives in pieces is whole, and nothing waits for its deadline', async () => {
    const pieces = ['{"a"', ':', '1}'].map((text) => new TextEncoder().encode(text));
    const body = new ReadableStream<Uint8Array>({
      start(stream) {
        for (const piece of pieces) stream.enqueue(piece);
        stream.close();
      },
    });
    expect(await (await post(body)).text()).toBe('{"a":1}');
    expect(vi.getTimerCount()).toBe(0);
  });
});
