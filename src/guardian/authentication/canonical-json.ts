/**
 * The form of JSON that signatures cover (protocol dossier §2.3): what serde_json prints for a
 * value with sorted keys. Integers keep their digits; nothing is rounded on the way.
 */
import { jsonLimits } from '../../limits.ts';

/**
 * A JSON value. An integer is a `bigint`, and a `number` is a floating-point value: 1n is written
 * `1` and 1 is written `1.0`, as serde_json writes u64 and f64.
 */
export type JsonValue =
  | null
  | boolean
  | string
  | bigint
  | number
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Not JSON, or beyond a limit. The text never quotes the input. */
export class InvalidJsonError extends Error {
  override name = 'InvalidJsonError';
}

/** Integers of serde_json: i64 below zero, u64 above; beyond them it reads a float. */
const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 64n - 1n;
const MAX_INTEGER_CHARACTERS = 20;

/**
 * Reads JSON text. Of repeated keys the last counts, as it does in serde_json.
 * @throws InvalidJsonError for what serde_json refuses too: bad syntax, lone surrogates, numbers
 *   beyond f64, more than 127 levels.
 */
export function parseJson(text: string): JsonValue {
  if (text.length > jsonLimits.characters) throw new InvalidJsonError('the JSON text is too long');
  assertDepth(text);
  try {
    return JSON.parse(text, revive) as JsonValue;
  } catch (error) {
    if (error instanceof InvalidJsonError) throw error;
    throw new InvalidJsonError('the text is not JSON');
  }
}

/** Bounds recursion before any parser sees the text. */
function assertDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (inString) {
      if (c === '\\') i += 1;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === '[' || c === '{') {
      depth += 1;
      if (depth > jsonLimits.depth) throw new InvalidJsonError('the JSON is nested too deeply');
    } else if (c === ']' || c === '}') depth -= 1;
  }
}

/** `context.source` is the literal as written (ECMAScript 2026, JSON.parse source text access). */
function revive(
  this: unknown,
  key: string,
  value: unknown,
  context?: { source?: string },
): unknown {
  assertWellFormed(key);
  if (typeof value === 'string') assertWellFormed(value);
  if (typeof value !== 'number') return value;
  const literal = context?.source;
  if (literal === undefined) throw new Error('this runtime has no JSON.parse source access');
  if (/^-?\d+$/.test(literal) && literal.length <= MAX_INTEGER_CHARACTERS && literal !== '-0') {
    const integer = BigInt(literal);
    if (integer >= MIN_INTEGER && integer <= MAX_INTEGER) return integer;
  }
  if (!Number.isFinite(value)) throw new InvalidJsonError('a number is out of range');
  return value;
}

function assertWellFormed(text: string): void {
  if (!text.isWellFormed()) throw new InvalidJsonError('a string holds half a surrogate pair');
}

/**
 * The text that is signed: keys sorted by their UTF-8 bytes, no white space. Mind that a `number`
 * is a float here: whoever signs or answers an integer holds it as a bigint.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return floatText(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .toSorted(compareUtf8)
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`);
  return `{${members.join(',')}}`;
}

function isArray(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Byte order of UTF-8 is code point order; UTF-16 differs where surrogates meet U+E000 to U+FFFF. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const difference = codePointRank(a.charCodeAt(i)) - codePointRank(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Moves surrogates behind every other code unit. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/**
 * The shortest digits that read back as the same double, in the notation of serde_json (the `ryu`
 * crate): plain up to 16 digits before the point, otherwise with an exponent.
 */
function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new InvalidJsonError('a number is out of range');
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (value === 0) return `${sign}0.0`;
  const [mantissa, exponent] = Math.abs(value).toExponential().split('e') as [string, string];
  const digits = mantissa.replace('.', '');
  /** Digits before the decimal point, if written without exponent. */
  const point = Number(exponent) + 1;
  if (point > 16 || point <= -5) return `${sign}${mantissa}e${String(point - 1)}`;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return `${sign}${digits.padEnd(point, '0')}.0`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
