/** What a fuzzed request is made of: plain values, so that a failing one can be printed and shrunk. */
import fc from 'fast-check';

/** The largest word and two that are none: P is 01000000ffffffff as an element of this text. */
const words = ['00000000', '01000000', 'ffffffff'].map(
  (first) => `0x${'00'.repeat(8)}${`${first}ffffffff`.repeat(3)}`,
);
/** Where integers of 32 and 64 bits end, with a sign and without, and those of JavaScript. */
export const wholeNumbers = [31n, 32n, 53n, 63n, 64n].flatMap((bits) =>
  [2n ** bits - 1n, 2n ** bits, -(2n ** bits) - 1n].map(String),
);

/** What is the last right value somewhere, or the first wrong one; texts are quoted. */
export const boundaries = [...words.map((word) => JSON.stringify(word)), ...wholeNumbers];

/** JSON text that is wrong, or hard, almost everywhere. */
export const hostileJson = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...boundaries) },
  { weight: 3, arbitrary: fc.json({ maxDepth: 3 }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      // one a line would be forty lines
      // prettier-ignore
      'null',
      'true',
      '""',
      '[]',
      '{}',
      '0',
      '-1',
      '-0',
      '1.5',
      '1e999',
      '-1e400',
      '1E5',
      'NaN',
      '9007199254740993',
      '9223372036854775807',
      '9223372036854775808',
      '18446744073709551615',
      '18446744073709551616',
      '9'.repeat(400),
      '01',
      '1.',
      '"\\u0000"',
      '"\\ud800"',
      '"\u0000"',
      '"\\udc00\\ud800"',
      '"\\x"',
      '"\u2028"',
      '{"__proto__":{"account_id":"0x"}}',
      '"😀"',
      '{"constructor":{"prototype":1}}',
      '{"a":1,"a":2}',
      '{"toString":1,"length":-1}',
      '{"then":{}}',
      '[[[[[[[[[[1]]]]]]]]]]',
      '"../../etc/passwd"',
      '"%00"',
      '"\'; drop table guardian.account; --"',
      `${'['.repeat(127)}${']'.repeat(127)}`,
      `${'['.repeat(128)}${']'.repeat(128)}`,
      `"${'A'.repeat(5_000)}"`,
      `"0x${'0'.repeat(64)}"`,
      `"0x${'ab'.repeat(15)}"`,
      `"evm:1:0x${'ab'.repeat(20)}"`,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).map((t) => JSON.stringify(t)),
  },
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String) },
);

/** One change to a body; `at` chooses among all of its values, modulo their number. */
export const change = fc.oneof(
  fc.record({ kind: fc.constant('replace' as const), at: fc.nat(40), text: hostileJson }),
  fc.record({ kind: fc.constant('drop' as const), at: fc.nat(40) }),
  fc.record({
    kind: fc.constantFrom('twice-first' as const, 'twice-last' as const, 'add' as const),
    at: fc.nat(40),
    text: hostileJson,
    key: fc.constantFrom('extra', '__proto__', 'constructor', 'toString', '', 'é', '\\u0000', 'a'),
  }),
);
export type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** One change to the text as a whole, after which it may be no JSON. */
export const damage = fc.record({ at: fc.nat(4_000), byte: fc.nat(255), cut: fc.nat(3) });

/** What is done to the headers of a request that would be right. */
export const headerChange = fc.oneof(
  fc.record({
    kind: fc.constantFrom('flip' as const, 'drop' as const, 'double' as const),
    name: fc.constantFrom('x-pubkey', 'x-signature', 'x-timestamp', 'content-type'),
    at: fc.nat(4_000),
  }),
  fc.record({
    kind: fc.constant('set' as const),
    name: fc.constantFrom('x-pubkey', 'x-signature', 'x-timestamp', 'content-type', 'cookie'),
    value: fc.oneof(
      fc.constantFrom('', '0', '-1', '1e3', '0x', '9'.repeat(19), '-9223372036854775808', 'a/b'),
      fc.constantFrom('ff'.repeat(65), '00'.repeat(65), 'ff'.repeat(1_524), 'f'.repeat(4_001)),
      fc.string({
        unit: fc.constantFrom(...'0123456789abcdefx-;=,"\t é'.split('')),
        maxLength: 80,
      }),
    ),
  }),
);
export type HeaderChange = typeof headerChange extends fc.Arbitrary<infer T> ? T : never;

const queryText = fc.oneof(
  fc.constantFrom(...words, ...wholeNumbers),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', '%', '%00', '%ff', '%ud800', '\u0000', '0x', '-1', '1e3', '9'.repeat(400)),
);

/** Null, but once in so many times. */
function rarely<T>(times: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: times - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
}

/** A request of somebody who knows a key, or a session, with some changes. */
export const knownCase = fc.record({
  kind: fc.constant('known' as const),
  /** Which request, and whose: modulo their numbers. */
  template: fc.nat(60),
  holder: fc.nat(20),
  nonce: fc.nat(6),
  changes: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(change, { maxLength: 2 }) },
  ),
  damage: rarely(8, damage),
  headers: rarely(4, headerChange).map((one) => (one ? [one] : [])),
  /** Signed after the changes, before them, by another key, or sent as it was sent before. */
  signing: fc.oneof(
    { weight: 6, arbitrary: fc.constant('changed' as const) },
    { weight: 1, arbitrary: fc.constantFrom('original', 'foreign', 'replay') },
  ),
  /** Signed as the time of the request. */
  timestamp: rarely(12, fc.constantFrom(...wholeNumbers)),
  query: rarely(
    3,
    fc.record({
      /** One of the request's own, modulo their number; or one that may be another request's. */
      name: fc.oneof(
        fc.nat(4),
        fc.constantFrom('account_id', 'nonce', 'limit', 'cursor', 'commitment', 'extra'),
      ),
      value: queryText,
    }),
  ),
});

/** A request of somebody who knows nothing. */
export const strangeCase = fc.record({
  kind: fc.constant('strange' as const),
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND'),
  /** Of the served ones, modulo their number; or another one. */
  path: fc.oneof(
    { weight: 3, arbitrary: fc.nat(60) },
    {
      weight: 1,
      arbitrary: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 30 }).map((text) => encodeURI(text.toWellFormed())),
        fc.constantFrom('/a'.repeat(2_000), '/%', '/%c0%af', '//delta', '/delta/', '/.%2e/state'),
      ),
    },
  ),
  query: fc.array(fc.tuple(queryText, queryText), { maxLength: 4 }),
  longQuery: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 20_000),
  headers: fc.array(headerChange, { maxLength: 3 }),
  body: fc.oneof(
    fc.constant(undefined),
    hostileJson,
    fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes as Uint8Array<ArrayBuffer>),
  ),
});

export type KnownCase = typeof knownCase extends fc.Arbitrary<infer T> ? T : never;
export type StrangeCase = typeof strangeCase extends fc.Arbitrary<infer T> ? T : never;

export const anyCase = fc.oneof(
  { weight: 7, arbitrary: knownCase },
  { weight: 3, arbitrary: strangeCase },
);
export type AnyCase = KnownCase | StrangeCase;
