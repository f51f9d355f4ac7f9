/**
 * Reads JSON as serde_json does, integers with all their digits. By hand, because JSON.parse with
 * a reviver, its only way to a number's digits, takes half a second of the event loop for a body
 * of many small values; this takes a tenth of that.
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

/** Most integers of a body are small ones: these need not be made. */
const smallIntegers = Array.from({ length: 100 }, (_, value) => BigInt(value));

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const numberLiteral = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;

/**
 * Of repeated keys the last counts, as it does in serde_json.
 * @throws InvalidJsonError for what serde_json refuses too: bad syntax, lone surrogates, numbers
 *   beyond f64, more than 127 levels.
 */
export function parseJson(text: string): JsonValue {
  if (text.length > jsonLimits.characters) throw new InvalidJsonError('the JSON text is too long');
  return new Reader(text).document();
}

function notJson(): InvalidJsonError {
  return new InvalidJsonError('the text is not JSON');
}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw notJson();
    return value;
  }

  #value(): JsonValue {
    this.#space();
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE:
        return this.#string();
      case 0x5b: // [
        return this.#array();
      case 0x7b: // {
        return this.#object();
      case 0x74: // t
        return this.#word('true', true);
      case 0x66: // f
        return this.#word('false', false);
      case 0x6e: // n
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #space(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at += 1;
    }
  }

  /** Whether the next character, after white space, is this one; it is read then. */
  #next(code: number): boolean {
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at += 1;
    return true;
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw notJson();
    this.#at += word.length;
    return value;
  }

  #enter(): void {
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > jsonLimits.depth) throw new InvalidJsonError('the JSON is nested too deeply');
  }

  #array(): JsonValue[] {
    this.#enter();
    const items: JsonValue[] = [];
    if (!this.#next(0x5d)) {
      do items.push(this.#value());
      while (this.#next(0x2c));
      if (!this.#next(0x5d)) throw notJson();
    }
    this.#depth -= 1;
    return items;
  }

  #object(): Record<string, JsonValue> {
    this.#enter();
    const members: Record<string, JsonValue> = {};
    if (!this.#next(0x7d)) {
      do this.#member(members);
      while (this.#next(0x2c));
      if (!this.#next(0x7d)) throw notJson();
    }
    this.#depth -= 1;
    return members;
  }

  #member(members: Record<string, JsonValue>): void {
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw notJson();
    const key = this.#string();
    if (!this.#next(0x3a)) throw notJson();
    const value = this.#value();
    if (key !== '__proto__') members[key] = value;
    // an assignment would change the object's prototype
    else Object.defineProperty(members, key, { value, ...ownMember });
  }

  #string(): string {
    const start = this.#at;
    let escaped = false;
    let at = start + 1;
    for (; ; at += 1) {
      const c = this.#text.charCodeAt(at);
      if (c === QUOTE) break;
      if (c === BACKSLASH) {
        escaped = true;
        at += 1;
      } else if (!(c >= 0x20)) throw notJson(); // also NaN, behind the end
    }
    this.#at = at + 1;
    const value = escaped
      ? unescaped(this.#text.slice(start, at + 1))
      : this.#text.slice(start + 1, at);
    if (!value.isWellFormed()) {
      throw new InvalidJsonError('a string holds half a surrogate pair');
    }
    return value;
  }

  #number(): bigint | number {
    const small = this.#smallInteger();
    if (small !== undefined) return small;
    numberLiteral.lastIndex = this.#at;
    const found = numberLiteral.exec(this.#text);
    if (!found) throw notJson();
    const [literal, fraction, exponent] = found;
    this.#at += literal.length;
    if (fraction === undefined && exponent === undefined && literal !== '-0') {
      const integer = integerOf(literal);
      if (integer !== undefined) return integer;
    }
    const value = Number(literal);
    if (!Number.isFinite(value)) throw new InvalidJsonError('a number is out of range');
    return value;
  }

  /** The common case without a match object: one or two digits, and nothing that goes on. */
  #smallInteger(): bigint | undefined {
    const text = this.#text;
    const first = text.charCodeAt(this.#at) - 0x30;
    const second = text.charCodeAt(this.#at + 1) - 0x30;
    if (!(first >= 0 && first <= 9)) return undefined;
    if (!(second >= 0 && second <= 9)) {
      if (isNumberPart(second + 0x30)) return undefined;
      this.#at += 1;
      return smallIntegers[first];
    }
    const third = text.charCodeAt(this.#at + 2);
    if (first === 0 || isNumberPart(third)) return undefined;
    this.#at += 2;
    return smallIntegers[10 * first + second];
  }
}

/** A digit, a point, or the sign of an exponent. */
function isNumberPart(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x45 || code === 0x65;
}

const ownMember = { writable: true, enumerable: true, configurable: true } as const;

function integerOf(literal: string): bigint | undefined {
  if (literal.length > MAX_INTEGER_CHARACTERS) return undefined;
  const integer = BigInt(literal);
  return integer >= MIN_INTEGER && integer <= MAX_INTEGER ? integer : undefined;
}

/** @param literal with its quotes. */
function unescaped(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    throw notJson();
  }
}
