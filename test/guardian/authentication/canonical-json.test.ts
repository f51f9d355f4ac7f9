import { expect, test } from 'vitest';

import { canonicalJson, parseJson } from '../../../src/guardian/authentication/canonical-json.ts';

function canonical(text: string): string {
  return canonicalJson(parseJson(text));
}

test('sorts keys at every level, keeps arrays, drops white space', () => {
  expect(canonical(' { "b" : [ 3 , { "z":1, "a":2 } ], "a" : null, "B":true }\n')).toBe(
    '{"B":true,"a":null,"b":[3,{"a":2,"z":1}]}',
  );
});

test('sorts by UTF-8 bytes, not by UTF-16 units', () => {
  // U+FFFD is ef bf bd, U+1F600 is f0 9f 98 80: the surrogate pair of the latter is smaller.
  expect(canonical('{"😀":1,"\ufffd":2,"é":3,"e":4,"":5,"ee":6}')).toBe(
    '{"":5,"e":4,"ee":6,"é":3,"\ufffd":2,"😀":1}',
  );
  const keys = [
    'a',
    'a1',
    'a_',
    'aB',
    'ab',
    '\u{10ffff}',
    '\ue000',
    '\ud7ff',
    '\u{10000}',
    '\uffff',
  ];
  const text = JSON.stringify(Object.fromEntries(keys.map((key) => [key, 0])));
  const encoder = new TextEncoder();
  const byBytes = keys.toSorted((a, b) => compareBytes(encoder.encode(a), encoder.encode(b)));
  expect(Object.keys(JSON.parse(canonical(text)) as object)).toEqual(byBytes);
});

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

test.each([
  ['0', '0'],
  ['-7', '-7'],
  ['9007199254740993', '9007199254740993'],
  ['18446744073709551615', '18446744073709551615'],
  ['-9223372036854775808', '-9223372036854775808'],
  // Beyond u64 and i64 serde_json reads f64.
  ['18446744073709551616', '1.8446744073709552e19'],
  ['-9223372036854775809', '-9.223372036854776e18'],
  ['123456789012345678901234567890', '1.2345678901234568e29'],
  ['-0', '-0.0'],
  ['0.0', '0.0'],
  ['1.0', '1.0'],
  ['1e2', '100.0'],
  ['1.5', '1.5'],
  ['0.1', '0.1'],
  ['-0.25', '-0.25'],
  ['0.00001', '0.00001'],
  ['0.000012345', '0.000012345'],
  ['0.000001', '1e-6'],
  ['1.25e-7', '1.25e-7'],
  ['1e15', '1000000000000000.0'],
  ['1e16', '1e16'],
  ['1234567890123456.5', '1234567890123456.5'],
  ['1.7976931348623157e308', '1.7976931348623157e308'],
  ['5e-324', '5e-324'],
])('the number %s is written %s', (literal, text) => {
  expect(canonical(`[${literal}]`)).toBe(`[${text}]`);
});

test('escapes what serde_json escapes and nothing else', () => {
  expect(canonical('"\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\\\/\\u007f\\u2028é"')).toBe(
    '"\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\/\u007f\u2028é"',
  );
});

test('of repeated keys the last counts, and __proto__ is a key like any other', () => {
  expect(canonical('{"a":1,"a":2}')).toBe('{"a":2}');
  const parsed = parseJson('{"__proto__":{"admin":true},"constructor":1}');
  expect(canonicalJson(parsed)).toBe('{"__proto__":{"admin":true},"constructor":1}');
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
});

test.each([
  '',
  '{',
  '{"a":1,}',
  "{'a':1}",
  '[01]',
  '[1.]',
  '[NaN]',
  '[1e400]',
  '[-1e400]',
  '"\\ud800"',
  '{"\\udc00":1}',
  '\ufeff{}',
  '{} {}',
  '// note\n1',
])('%j is refused without being quoted', (text) => {
  expect(() => parseJson(text)).toThrow(expect.objectContaining({ name: 'InvalidJsonError' }));
  expect(() => parseJson(`["secret-value",${text}]`)).toThrow(/^(?!.*secret)/);
});

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

test('depth is bounded as in serde_json, brackets in strings do not count', () => {
  expect(canonical(nested(127))).toBe(nested(127));
  expect(() => parseJson(nested(128))).toThrow('nested too deeply');
  expect(() => parseJson('[{"a":'.repeat(500_000))).toThrow('nested too deeply');
  expect(canonical(JSON.stringify(`\\"${nested(200)}`))).toBe(JSON.stringify(`\\"${nested(200)}`));
  expect(canonical(`[${'[],'.repeat(300)}[]]`)).toHaveLength(903 + 1);
});

test('text beyond the limit is refused', () => {
  expect(() => parseJson(`"${'x'.repeat(16_777_216)}"`)).toThrow('too long');
});

test('canonical text is its own canonical form', () => {
  const text = canonical('{"x":[1.0,1,1e30,"é",{"b":-0.0,"a":18446744073709551615}]}');
  expect(canonical(text)).toBe(text);
});
