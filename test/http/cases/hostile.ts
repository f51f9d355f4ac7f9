import { expect, it } from 'vitest';
import { encodeBase64 } from '../../../src/guardian/accounts/wire.ts';
import {
  canonicalJson,
  parseJson,
  type JsonValue,
} from '../../../src/guardian/authentication/canonical-json.ts';
import { exchange, expectRefusal, type Service } from '../service.ts';
import { openHolder, type Holder } from '../signed.ts';

/** Cut at many places, stretched, and with counts that promise more than there is. */
function damaged(bytes: Uint8Array): [string, string][] {
  const cuts = [0, 1, 7, 14, 15, 16, 17, 40, bytes.length >> 1, bytes.length - 1];
  const filled = [15, 16, 17, 20, 24].map((at) => {
    const copy = bytes.slice();
    copy.fill(0xff, at, at + 9);
    return [`0xff from byte ${at}`, encodeBase64(copy)] as [string, string];
  });
  return [
    ...cuts.map((at): [string, string] => [`cut at ${at}`, encodeBase64(bytes.subarray(0, at))]),
    ...filled,
    ['one byte more', encodeBase64(new Uint8Array([...bytes, 0]))],
    ['half a mebibyte of zeros', encodeBase64(new Uint8Array(2 ** 19))],
    ['half a mebibyte of 0xff', encodeBase64(new Uint8Array(2 ** 19).fill(0xff))],
    ['three characters of base64', 'AAA'],
    ['other characters', 'A*=='],
    ['base64 of URLs', '_-_-'],
    ['a long word', `${'A'.repeat(4_000)}=A==`],
  ];
}

export function hostileConfigureCases(service: () => Service): void {
  it('refuses every damaged state, and keeps the stored one', async () => {
    const holder = await openHolder(service().send);
    for (const [name, data] of damaged(holder.state)) {
      const initial_state = { data, account_id: holder.accountId };
      const request = holder.post('/configure', { ...holder.configureBody(), initial_state });
      const { status, body } = await exchange(service(), request);
      expect([400, 403], `${name}: ${JSON.stringify(body)}`).toContain(status);
      if (status === 400) expect(body['code'], name).toBe('invalid_input');
    }
    const { body } = await exchange(service(), holder.get('/state'));
    expect(body['commitment']).toBe(holder.commitment);
  });

  const auth = (value: unknown) => ({ auth: value as JsonValue });
  const set = (list: unknown) => auth({ MidenEcdsa: { cosigner_commitments: list } });
  it.each<[string, Record<string, JsonValue>, string]>([
    ['no auth', auth(null), 'invalid_input'],
    ['an unknown scheme', auth({ MidenRsa: { cosigner_commitments: [] } }), 'invalid_input'],
    ['two schemes', auth({ MidenEcdsa: {}, MidenFalconRpo: {} }), 'invalid_input'],
    ['no signers', set([]), 'invalid_input'],
    ['a signer twice', set(Array(2).fill(`0x${'11'.repeat(32)}`)), 'invalid_input'],
    ['a signer in capitals', set([`0x${'AB'.repeat(32)}`]), 'invalid_input'],
    ['another signer', set([`0x${'11'.repeat(32)}`]), 'invalid_input'],
    ['ten thousand signers', set(Array(10_000).fill('0x')), 'invalid_input'],
    ['an account id of another form', { account_id: '0x1234' }, 'invalid_account_id'],
    ['an id with a zero character', { account_id: '0x\u0000' }, 'invalid_account_id'],
    ['an EVM account', { account_id: 'evm:1:0x00' }, 'unsupported_for_network'],
    ['an EVM network', { network_config: { kind: 'evm' } }, 'unsupported_for_network'],
    ['EVM auth', auth({ EvmEcdsa: { signers: [] } }), 'unsupported_for_network'],
    [
      'everything of an EVM account',
      { account_id: 'evm:1:0x00', network_config: { kind: 'evm' }, ...auth({ EvmEcdsa: {} }) },
      'unsupported_for_network',
    ],
    [
      'an EVM network and no auth',
      { network_config: { kind: 'evm' }, ...auth(null) },
      'unsupported_for_network',
    ],
    [
      'an unknown network and no auth',
      { network_config: {}, ...auth(null) },
      'invalid_network_config',
    ],
    ['an unknown network', { network_config: { kind: 'mars' } }, 'invalid_network_config'],
    ['a state that is no text', { initial_state: { data: 1n } }, 'invalid_input'],
    ['no state', { initial_state: null }, 'invalid_input'],
    ['another account id', { account_id: `0x${'a1'.repeat(15)}` }, 'invalid_input'],
  ])('refuses a configuration with %s', async (_name, change, code) => {
    const holder = await openHolder(service().send);
    const request = holder.post('/configure', { ...holder.configureBody(), ...change });
    await expectRefusal(service(), request, 400, code);
  });

  it.each(['null', '[]', '"text"', '7', 'true', '{}', '{"__proto__":{"account_id":"x"}}'])(
    'refuses the body %s',
    async (text) => {
      const holder = await openHolder(service().send);
      for (const path of ['/configure', '/delta']) {
        await expectRefusal(service(), holder.post(path, null, { text }), 400, 'invalid_input');
      }
    },
  );
}

export function hostileDeltaCases(service: () => Service): void {
  it('refuses every damaged summary, and takes a good one after them', async () => {
    const holder = await openHolder(service().send);
    const good = holder.deltaBody(1);
    const { data: text } = good['delta_payload'] as { data: string };
    const summary = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    for (const [name, data] of damaged(summary)) {
      const request = holder.post('/delta', { ...good, delta_payload: { data } });
      const { status, body } = await exchange(service(), request);
      expect({ status, code: body['code'] }, name).toEqual({ status: 400, code: 'invalid_delta' });
    }
    expect((await exchange(service(), holder.post('/delta', good))).status).toBe(200);
  });

  it.each<[string, Record<string, JsonValue>, string]>([
    ['a summary that is not base64', { delta_payload: { data: 'A*==' } }, 'invalid_delta'],
    ['no summary', { delta_payload: {} }, 'invalid_input'],
    ['a base of another form', { prev_commitment: '0x' }, 'invalid_input'],
  ])('refuses %s before it looks at the signature', async (_name, change, code) => {
    const holder = await openHolder(service().send);
    const { path, init } = holder.post('/delta', { ...holder.deltaBody(1), ...change });
    const headers = { ...init.headers, 'x-signature': '11'.repeat(65) };
    await expectRefusal(service(), { path, init: { ...init, headers } }, 400, code);
  });

  it('refuses the summary of another account', async () => {
    const [holder, other] = [await openHolder(service().send), await openHolder(service().send)];
    const body = { ...holder.deltaBody(1), delta_payload: other.deltaBody(1)['delta_payload']! };
    await expectRefusal(service(), holder.post('/delta', body), 400, 'invalid_delta');
  });

  it.each<[string, Record<string, JsonValue>, string]>([
    ['a nonce below zero', { nonce: -1n }, 'invalid_input'],
    ['a nonce that is a float', { nonce: 1.5 }, 'invalid_input'],
    ['a nonce that is text', { nonce: '1' }, 'invalid_input'],
    ['a nonce of 2^63', { nonce: 2n ** 63n }, 'invalid_input'],
    ['a nonce of 2^64 - 1', { nonce: 2n ** 64n - 1n }, 'invalid_input'],
    ['another base', { prev_commitment: `0x${'00'.repeat(32)}` }, 'commitment_mismatch'],
    ['a base with a zero character', { prev_commitment: '\u0000' }, 'invalid_input'],
    ['a base of 100 kB', { prev_commitment: 'x'.repeat(100_000) }, 'invalid_input'],
    ['a zero character', { delta_payload: { data: '', note: 'a\\\u0000' } }, 'invalid_input'],
    ['a zero character in a key', { delta_payload: { data: '', '\u0000': 1n } }, 'invalid_input'],
    ['a payload that is a list', { delta_payload: [] }, 'invalid_input'],
    ['a payload without data', { delta_payload: { tx_summary: {} } }, 'invalid_input'],
  ])('refuses a delta with %s', async (_name, change, code) => {
    const holder = await openHolder(service().send);
    const request = holder.post('/delta', { ...holder.deltaBody(1), ...change });
    await expectRefusal(service(), request, 400, code);
  });

  it.each(['', 'x', '-1', '1.0', '1e3', '0x1', ' 1', '9'.repeat(19), '9'.repeat(30), '%00'])(
    'refuses to look for the nonce "%s"',
    async (nonce) => {
      const { accountId } = await openHolder(service().send);
      const path = `/delta?account_id=${accountId}&nonce=${nonce}`;
      await expectRefusal(service(), { path }, 400, 'invalid_input');
    },
  );
}

export function exactPayloadCases(service: () => Service): void {
  const pushed = async (payload: string): Promise<[Holder, string]> => {
    const holder = await openHolder(service().send);
    const { delta_payload, ...rest } = holder.deltaBody(1);
    const { data } = delta_payload as { data: string };
    const members = JSON.stringify({ ...rest, nonce: 1 }).slice(1);
    const text = `{"delta_payload":{"data":"${data}","metadata":${payload}},${members}`;
    const answer = await exchange(service(), holder.post('/delta', null, { text }));
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return [holder, text];
  };

  it.each([
    '{"amount":18446744073709551615,"least":-9223372036854775808}',
    '{"a":9007199254740993,"b":[1,0,-1,1.0,0.1,1e-7,1e300]}',
    String.raw`{"text":"é€😀\u0001\u001f\"\\","deep":[[[[{"a":[]}]]]]}`,
  ])('gives %s back, digit by digit', async (payload) => {
    const [holder] = await pushed(payload);
    const { path, init } = holder.get('/delta', { nonce: 1n });
    const text = await (await service().send(path, init)).text();
    // the answer spells every number and character as the signature's canonical form does
    expect(text).toContain(canonicalJson(parseJson(payload)));
  });

  it('gives back members that are called like parts of an object', async () => {
    const members = '"__proto__":{"a":1},"constructor":{"prototype":2}';
    const [holder] = await pushed(`0,${members}`);
    const { path, init } = holder.get('/delta', { nonce: 1n });
    expect(await (await service().send(path, init)).text()).toContain(members);
  });

  it('answers an identical submission with the stored acknowledgement', async () => {
    const [holder, text] = await pushed(String.raw`{"text":"\\u0000"}`);
    const stored = await exchange(service(), holder.get('/delta', { nonce: 1n }));
    const again = await exchange(service(), holder.post('/delta', null, { text }));
    expect(again.status).toBe(200);
    expect(again.body).toEqual(stored.body);
  });
}
