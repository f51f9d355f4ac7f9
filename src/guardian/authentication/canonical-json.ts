/**
 * The form of JSON that signatures cover (protocol dossier §2.3): what serde_json prints for a
 * value with sorted keys. Integers keep their digits; nothing is rounded on the way.
 */
import { InvalidJsonError, parseJson, type JsonValue } from './parse-json.ts';

export { InvalidJsonError, parseJson, type JsonValue };

/**
 * The text that is signed: keys sorted by their UTF-8 bytes, no white space. Mind that a `number`
 * is a float here: whoever signs or answers an integer holds it as a bigint.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return floatText(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return isArray(value) ? arrayText(value) : objectText(value);
}

// Texts grow by concatenation: joining lists of them costs twice as much for many small values.

function arrayText(items: readonly JsonValue[]): string {
  let text = '[';
  for (let i = 0; i < items.length; i += 1) {
    if (i > 0) text += ',';
    text += canonicalJson(items[i]!);
  }
  return `${text}]`;
}

function objectText(members: { readonly [key: string]: JsonValue }): string {
  let text = '{';
  for (const key of sortedKeys(members)) {
    if (text !== '{') text += ',';
    text += `${JSON.stringify(key)}:${canonicalJson(members[key]!)}`;
  }
  return `${text}}`;
}

/** The built-in order is that of UTF-16, and the same unless there are surrogates. */
function sortedKeys(members: object): string[] {
  const keys = Object.keys(members);
  if (keys.length < 2) return keys;
  return keys.some((key) => surrogate.test(key)) ? keys.toSorted(compareUtf8) : keys.toSorted();
}

const surrogate = /[\ud800-\udfff]/;

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
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  // in between JavaScript writes the same digits plainly, a whole number without a point
  if (size < 1e-5 || size >= 1e16) return value.toExponential().replace('e+', 'e');
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
