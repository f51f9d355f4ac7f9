/** The reader written by hand, beside JSON.parse; and what the worst bodies cost. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  canonicalJson,
  InvalidJsonError,
  parseJson,
  type JsonValue,
} from '../../../src/guardian/authentication/canonical-json.ts';

/** Valid JSON, then a few characters of it exchanged, cut out or doubled. */
const damagedJson = fc
  .tuple(
    fc.json({ maxDepth: 4 }),
    fc.array(
      fc.record({
        at: fc.nat(200),
        cut: fc.nat(2),
        put: fc.constantFrom(...'{}[]",:\\/eE+-.0123456789tfnu \n\t\u0001\u00a0\ud800'.split('')),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([text, changes]) => {
    let damaged = text;
    for (const { at, cut, put } of changes) {
      const place = at % (damaged.length + 1);
      damaged = damaged.slice(0, place) + put + damaged.slice(place + cut);
    }
    return damaged;
  });

/** Our values as JSON.parse gives them. */
function plain(value: JsonValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidJsonError) {
      // what serde_json refuses beyond JSON.parse
      return /half a surrogate|out of range/.test(error.message) ? 'beyond' : 'refused';
    }
    if (error instanceof SyntaxError) return 'refused';
    throw error;
  }
}

it('reads what JSON.parse reads, and refuses what it refuses', () => {
  let refused = 0;
  let read = 0;
  fc.assert(
    fc.property(damagedJson, (text) => {
      const ours = outcome(() => plain(parseJson(text)));
      if (ours === 'beyond') return;
      if (ours === 'refused') refused += 1;
      else read += 1;
      expect(ours).toEqual(outcome(() => JSON.parse(text)));
    }),
    { numRuns: 5_000, seed: 20_261_121 },
  );
  expect(Math.min(refused, read)).toBeGreaterThan(500);
});

it('writes every double so that it reads back, as a float', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = canonicalJson(value);
      expect(Object.is(parseJson(text), value)).toBe(true);
      expect(text).toMatch(/^-?(?:\d+\.\d+|\d(?:\.\d+)?e-?\d+)$/);
    }),
    { numRuns: 5_000, seed: 20_261_121 },
  );
});

const mebibyteOf = (item: string) =>
  `[${Array(2 ** 19)
    .fill(item)
    .join(',')
    .slice(0, 2 ** 20)}`;

it.each(['1', '1.5', '1e5', '""', '[]', '{}', '{"a":1}', '"é€😀"'])(
  'reads and writes a mebibyte of %s without holding up the event loop',
  (item) => {
    const text = `${mebibyteOf(item).slice(0, mebibyteOf(item).lastIndexOf(','))}]`;
    canonicalJson(parseJson(text)); // compiled code, as in a process that runs
    const before = process.cpuUsage();
    canonicalJson(parseJson(text));
    const { user, system } = process.cpuUsage(before);
    // 20 to 60 ms; JSON.parse with a reviver takes 250 to 500
    expect((user + system) / 1_000).toBeLessThan(200);
  },
);
