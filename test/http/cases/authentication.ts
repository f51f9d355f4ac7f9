import { expect, it } from 'vitest';
import { exchange, expectRefusal, type Service } from '../service.ts';
import { createHolder, makeSigner, nextTimestamp, openHolder, type Prepared } from '../signed.ts';

const changed = ({ path, init }: Prepared, headers: Record<string, string | null>): Prepared => ({
  path,
  init: {
    ...init,
    headers: Object.fromEntries(
      Object.entries({ ...init.headers, ...headers }).filter(
        (pair): pair is [string, string] => pair[1] !== null,
      ),
    ),
  },
});

export function headerCases(service: () => Service): void {
  const garbled: [string, string | null][] = [
    ...['x-pubkey', 'x-signature', 'x-timestamp'].map((name): [string, null] => [name, null]),
    ...['', 'zz', '0x', '0x0', 'ab', '00'.repeat(65), 'ff'.repeat(65), 'ff'.repeat(1524)].map(
      (value): [string, string] => ['x-signature', value],
    ),
    ...['', 'now', '1.5', '1e12', '0x10', '9'.repeat(19), '9'.repeat(40), '-1', '1 2'].map(
      (value): [string, string] => ['x-timestamp', value],
    ),
    // the last of the signed 64 bits, and the first that is none
    ...[2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n].map(
      (value): [string, string] => ['x-timestamp', String(value)],
    ),
  ];

  it.each(garbled)('answers 401 when %s is %j', async (name, value) => {
    const holder = await openHolder(service().send);
    for (const request of [holder.get('/state'), holder.post('/delta', holder.deltaBody(1))]) {
      const refused = changed(request, { [name]: value });
      await expectRefusal(service(), refused, 401, 'authentication_failed');
    }
  });

  it.each(['falcon', 'ecdsa'] as const)(
    'refuses a foreign or tampered %s request',
    async (scheme) => {
      const holder = await openHolder(service().send, scheme);
      const foreign = makeSigner(scheme);
      const { path, init } = holder.get('/state');
      const timestamp = Number(init.headers['x-timestamp']);
      const payload = `{"account_id":"${holder.accountId}"}`;
      const refused = [
        changed({ path, init }, { 'x-timestamp': String(timestamp + 1) }),
        changed(
          { path, init },
          { 'x-signature': foreign.sign(holder.accountId, timestamp, payload) },
        ),
        { ...holder.get('/state'), path: `/delta?account_id=${holder.accountId}&nonce=1` },
      ];
      for (const request of refused) {
        await expectRefusal(service(), request, 401, 'authentication_failed');
      }
      expect((await exchange(service(), { path, init })).status).toBe(200);
    },
  );

  it('takes signature and key with 0x, without it, and in capitals', async () => {
    const holder = await openHolder(service().send, 'ecdsa');
    for (const spell of [
      (hex: string) => `0x${hex.replace('0x', '')}`,
      (hex: string) => hex.replace('0x', '').toUpperCase(),
    ]) {
      const request = holder.get('/state');
      const { 'x-signature': signature = '', 'x-pubkey': key = '' } = request.init.headers;
      const spelt = changed(request, { 'x-signature': spell(signature), 'x-pubkey': spell(key) });
      expect((await exchange(service(), spelt)).status).toBe(200);
    }
  });
}

export function replayCases(service: () => Service): void {
  it.each([-301_000, 301_000])('refuses a timestamp that is %i ms off', async (offset) => {
    const holder = await openHolder(service().send);
    const timestamp = Date.now() + offset;
    const answers = [holder.get('/state', {}, { timestamp })];
    answers.push(holder.post('/delta', holder.deltaBody(1), { timestamp }));
    for (const request of answers) {
      await expectRefusal(service(), request, 401, 'authentication_failed');
    }
  });

  it('says that there is no account before it looks at the time, but for a new one', async () => {
    const absent = createHolder(`0x${'01'.repeat(32)}`);
    const old = { timestamp: Date.now() - 301_000 };
    const unsigned = changed(absent.get('/state', {}, old), { 'x-signature': 'ab' });
    const delta = absent.post('/delta', absent.deltaBody(1), old);
    for (const request of [absent.get('/state', {}, old), unsigned, delta]) {
      await expectRefusal(service(), request, 404, 'account_not_found');
    }
    const configure = absent.post('/configure', absent.configureBody(), old);
    await expectRefusal(service(), configure, 401, 'authentication_failed');
  });

  it('refuses a request that was accepted before, and an older one, as a replay', async () => {
    const holder = await openHolder(service().send);
    const older = holder.get('/state');
    const first = holder.get('/state');
    expect((await exchange(service(), first)).status).toBe(200);
    for (const request of [first, older]) {
      const { body } = await expectRefusal(service(), request, 401, 'authentication_replay');
      expect(body['meta']).toEqual({ retryable: true });
    }
    const again = holder.post('/configure', holder.configureBody());
    expect((await exchange(service(), again)).status).toBe(200);
    await expectRefusal(service(), again, 401, 'authentication_replay');
  });

  it.each(['falcon', 'ecdsa'] as const)(
    'admits one of ten identical %s requests',
    async (scheme) => {
      const holder = await openHolder(service().send, scheme);
      const requests = [holder.get('/state'), holder.post('/delta', holder.deltaBody(1))];
      for (const request of requests) {
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => exchange(service(), request)),
        );
        const codes = answers.map(({ status, body }) => body['code'] ?? status).toSorted();
        expect(codes).toEqual([200, ...Array.from({ length: 9 }, () => 'authentication_replay')]);
      }
    },
  );

  it('does not count a refused signature against the signer', async () => {
    const holder = await openHolder(service().send);
    const timestamp = nextTimestamp() + 1_000;
    const forged = changed(holder.get('/state', {}, { timestamp }), {
      'x-signature': '11'.repeat(65),
    });
    await expectRefusal(service(), forged, 401, 'authentication_failed');
    expect((await exchange(service(), holder.get('/state'))).status).toBe(200);
  });
}

export function lookupCases(service: () => Service): void {
  const one = '01'.padEnd(16, '0');
  it.each([
    '',
    '0x',
    `0x${'0'.repeat(63)}`,
    `0x${'AB'.repeat(32)}`,
    // an element as large as P, in each place; and all of them larger
    ...[0, 1, 2, 3].map((at) => `0x${Array(4).fill(one).with(at, '01000000ffffffff').join('')}`),
    `0x${'ff'.repeat(32)}`,
  ])('refuses to look for the key commitment "%s"', async (commitment) => {
    const headers = { 'x-pubkey': '0x', 'x-signature': '11'.repeat(65), 'x-timestamp': '1' };
    const request = { path: `/state/lookup?key_commitment=${commitment}`, init: { headers } };
    await expectRefusal(service(), request, 400, 'invalid_input');
  });
}
