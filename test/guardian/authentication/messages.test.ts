import { expect, test } from 'vitest';

import { canonicalJson } from '../../../src/guardian/authentication/canonical-json.ts';
import { lookupMessage } from '../../../src/guardian/authentication/lookup-message.ts';
import { requestMessage, textWord } from '../../../src/guardian/authentication/request-message.ts';
import { P } from '../../../src/guardian/networks/miden/field.ts';
import { rpoHashElements } from '../../../src/guardian/networks/miden/hash/rpo.ts';
import { wordToHex, ZERO_WORD } from '../../../src/guardian/networks/miden/word.ts';
import { fixtureFolder, fixturesMissing, readLookupVectors } from '../../support/fixtures.ts';

const ACCOUNT = '0x25ae6647d3c87001607b46e56f1260';
const AT = 1_700_000_000_000n;

test.each([
  [
    'GET /state',
    { account_id: ACCOUNT },
    '0xf48be38d14a96a1f2f2af6cdecae11ea8d00dadbc7dfde354257e6a733d839cf',
    '0x50f803aea593aa598d9cbc2acf43eabad94732bc412121d77626962e612bf27e',
  ],
  [
    'GET /delta',
    { nonce: 7n, account_id: ACCOUNT },
    '0x95b4a306e61b83f179b798d0798e56650d5bc333b736df69821dd3966879e8d2',
    '0x901ad3a315431527f74c27cd187f0e46b658ab31f5db53bbc21b39a8c30e5f48',
  ],
  [
    'GET /delta/history',
    { account_id: ACCOUNT, limit: '50' },
    '0x34a16a535b7582ac153894d00d7b59e847c7a784b42de5d0a0b981182645f53a',
    '0x2725149a4c0c0d7d2556485c80d446a714f02afa83720376f96a844f46879dda',
  ],
])('the request %s has its known message', (_route, query, payload, message) => {
  const text = canonicalJson(query);
  expect(wordToHex(textWord(text))).toBe(payload);
  expect(wordToHex(requestMessage(ACCOUNT, AT, text))).toBe(message);
});

test('an empty payload is the zero word', () => {
  expect(textWord('')).toEqual(ZERO_WORD);
  const prefix = 0x25ae6647d3c87001n;
  const suffix = 0x607b46e56f126000n;
  expect(requestMessage(ACCOUNT, 5n, '')).toEqual(
    rpoHashElements([prefix, suffix, 5n, 0n, 0n, 0n, 0n]),
  );
});

test('text is packed as little-endian chunks of UTF-8, padded with zeros', () => {
  expect(textWord('abcdefgh€')).toEqual(rpoHashElements([0x6867666564636261n, 0xac82e2n]));
  const long = 'é€😀x'.repeat(1_000);
  const bytes = new TextEncoder().encode(long);
  const elements: bigint[] = [];
  for (let i = 0; i < bytes.length; i += 8) {
    let element = 0n;
    bytes.slice(i, i + 8).forEach((byte, at) => {
      element |= BigInt(byte) << BigInt(8 * at);
    });
    elements.push(element % P);
  }
  expect(textWord(long)).toEqual(rpoHashElements(elements));
});

test('a negative timestamp counts as its two’s complement', () => {
  expect(requestMessage(ACCOUNT, -1n, 'x')).toEqual(
    requestMessage(ACCOUNT, (2n ** 64n - 1n) % P, 'x'),
  );
  expect(requestMessage(ACCOUNT, -1n, 'x')).not.toEqual(requestMessage(ACCOUNT, 1n, 'x'));
});

test('every part of a request changes its message', () => {
  const messages = [
    requestMessage(ACCOUNT, AT, '{}'),
    requestMessage(ACCOUNT, AT + 1n, '{}'),
    requestMessage(ACCOUNT.replace('0x2', '0x3'), AT, '{}'),
    requestMessage(ACCOUNT.replace(/0$/, '1'), AT, '{}'),
    requestMessage(ACCOUNT, AT, '{ }'),
  ];
  expect(new Set(messages.map(wordToHex)).size).toBe(messages.length);
});

test('an account id of another form is refused', () => {
  expect(() => requestMessage('0x25', AT, '')).toThrow(TypeError);
});

test.each([
  [0n, '0x' + '0'.repeat(64), '0x26b87c4b75216fcd234ecabd00b772056c2bc68ceff9e336255a6a8ffe20d399'],
  [
    1_714_939_200_000n,
    '0xaa00000000000000bb00000000000000cc00000000000000dd00000000000000',
    '0x32a70e7a151cab7f63966b2ec45c684a43bb5f001f6664aed73b720cc8df81ee',
  ],
])('the lookup at %s has its known message', (at, commitment, message) => {
  expect(wordToHex(lookupMessage(at, commitment))).toBe(message);
});

test('all lookup vectors of Guardian', ({ skip }) => {
  skip(!fixtureFolder, fixturesMissing);
  const { domainTag, vectors } = readLookupVectors();
  expect(wordToHex(textWord('guardian.lookup.v1'))).toBe(domainTag);
  expect(vectors).toHaveLength(8);
  for (const { timestampMs, keyCommitment, message } of vectors) {
    expect(wordToHex(lookupMessage(timestampMs, keyCommitment))).toBe(message);
  }
});
