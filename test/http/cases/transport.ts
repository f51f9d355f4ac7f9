import { expect, it } from 'vitest';
import { exchange, expectRefusal, type Service } from '../service.ts';
import { openHolder } from '../signed.ts';

const mebibyte = 2 ** 20;
const json = { 'content-type': 'application/json' };

export function routeCases(service: () => Service): void {
  it.each(['/nothing', '/delta/', '/configure/x', '/DELTA', '//', '/%00', '/../status/..%2f'])(
    'answers 404 to the unknown route %s',
    async (path) => {
      await expectRefusal(service(), { path }, 404, 'invalid_input');
    },
  );

  it.each(['/', '/status'])('tells version and network at %s', async (path) => {
    const { status, body } = await exchange(service(), { path });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ok', environment: 'local' });
    expect(Object.keys(body).toSorted()).toEqual(
      ['environment', 'git_commit', 'started_at', 'status', 'uptime_seconds', 'version'].toSorted(),
    );
  });

  it.each([
    ['PUT', '/delta', 'GET, POST, OPTIONS'],
    ['DELETE', '/state', 'GET, OPTIONS'],
    ['GET', '/configure', 'POST, OPTIONS'],
    ['POST', '/pubkey', 'GET, OPTIONS'],
  ])('answers 405 to %s %s and names what is allowed', async (method, path, allowed) => {
    const answer = await expectRefusal(service(), { path, init: { method } }, 405, 'invalid_input');
    expect(sorted(answer.headers.get('allow'))).toEqual(sorted(allowed));
  });
}

/** Bodies that are refused before anybody asks who signed. */
export function bodyCases(service: () => Service): void {
  const post = (body: BodyInit, headers: Record<string, string> = json, path = '/delta') => ({
    path,
    init: { method: 'POST', body, headers, duplex: 'half' } as RequestInit,
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', ''])(
    'answers 415 to the content type "%s"',
    async (type) => {
      const body = new Blob(['{}']);
      await expectRefusal(service(), post(body, { 'content-type': type }), 415, 'invalid_input');
    },
  );

  it('takes a content type with a charset', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    await expectRefusal(service(), post('{}', headers), 401, 'authentication_failed');
  });

  it.each([
    '',
    '{',
    '[1,]',
    '{"a":1}{',
    'NaN',
    "{'a':1}",
    '{"a":01}',
    String.raw`"\ud800"`,
    '\u0000',
  ])('answers 400 to the malformed JSON %j', async (text) => {
    for (const path of ['/delta', '/configure']) {
      await expectRefusal(service(), post(text, json, path), 400, 'invalid_input');
    }
  });

  it('answers 400 to bytes that are not UTF-8', async () => {
    const bytes = new Uint8Array([0x22, 0xc3, 0x28, 0x22]);
    await expectRefusal(service(), post(bytes), 400, 'invalid_input');
  });

  it('answers 413 to a body over the limit, declared or in pieces', async () => {
    await expectRefusal(service(), post('x'.repeat(mebibyte + 1)), 413, 'invalid_input');
    await expectRefusal(service(), post(inPieces(mebibyte + 1)), 413, 'invalid_input');
    // the largest body is read: what is wrong with it is what it says
    await expectRefusal(service(), post('x'.repeat(mebibyte)), 400, 'invalid_input');
    await expectRefusal(service(), post(inPieces(mebibyte)), 400, 'invalid_input');
  });
}

/** JSON that costs more to read than it costs to send. */
export function deepJsonCases(service: () => Service): void {
  const mebibyteOf = (text: string) => text.repeat(Math.floor(mebibyte / text.length));
  it.each([
    ['arrays in arrays', mebibyteOf('[')],
    ['closed arrays in arrays', '['.repeat(mebibyte / 2) + ']'.repeat(mebibyte / 2)],
    ['objects in objects', mebibyteOf('{"a":')],
    ['128 levels', `${'['.repeat(128)}${']'.repeat(128)}`],
    ['a number of 1 MiB', mebibyteOf('9')],
    ['a float beyond f64', '1e400'],
  ])('answers 400 to %s', async (_name, body) => {
    const init = { method: 'POST', body, headers: json };
    await expectRefusal(service(), { path: '/delta', init }, 400, 'invalid_input');
  });

  it('reads a mebibyte of shallow JSON and answers other requests after it', async () => {
    const holder = await openHolder(service().send);
    const body = {
      ...holder.deltaBody(1),
      more: Array.from({ length: 100_000 }, () => [[1n], {}]),
    };
    expect((await exchange(service(), holder.post('/delta', body))).status).toBe(200);
    expect((await exchange(service(), holder.get('/state'))).status).toBe(200);
  });
}

function sorted(list: string | null): string[] {
  return (list ?? '').split(', ').toSorted();
}

/** A body without content-length. */
function inPieces(size: number): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      const length = Math.min(left, 65_536);
      if (length === 0) return controller.close();
      left -= length;
      controller.enqueue(new Uint8Array(length).fill(0x78));
    },
  });
}
