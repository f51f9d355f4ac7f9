/**
 * The few protobuf wire rules that one unary call needs (protobuf.dev, "Encoding").
 * The reader is strict: what a conforming encoder would not write is refused.
 */

/** Bytes that are not the message they claim to be. The text never quotes those bytes. */
export class WireFormatError extends Error {
  override name = 'WireFormatError';
}

type WireType = 'varint' | 'fixed64' | 'bytes' | 'fixed32';

interface WireField {
  number: number;
  type: WireType;
  /** The payload: varint bytes as written, 8 or 4 little-endian bytes, or the bytes themselves. */
  value: Uint8Array;
}

const WIRE_TYPES: Readonly<Record<number, WireType>> = {
  0: 'varint',
  1: 'fixed64',
  2: 'bytes',
  5: 'fixed32',
};

/** A 64-bit varint never needs more. */
const VARINT_BYTES = 10;

/** @throws WireFormatError at the first byte that breaks the encoding. */
export function* readFields(message: Uint8Array): Generator<WireField> {
  let at = 0;

  const varintEnd = (): number => {
    for (let end = at; end < message.length && end < at + VARINT_BYTES; end += 1) {
      if (message[end]! < 0x80) return end + 1;
    }
    throw new WireFormatError('a varint does not end');
  };
  /** For tags and lengths: 32 bits are more than any message here may hold. */
  const varint = (): number => {
    const end = varintEnd();
    let value = 0;
    for (let i = end - 1; i >= at; i -= 1) value = value * 128 + (message[i]! & 0x7f);
    at = end;
    if (value > 0xffffffff) throw new WireFormatError('a tag or a length is out of range');
    return value;
  };
  const take = (length: number): Uint8Array => {
    if (length > message.length - at) throw new WireFormatError('a field runs past the message');
    at += length;
    return message.subarray(at - length, at);
  };

  while (at < message.length) {
    const tag = varint();
    const number = tag >>> 3;
    const type = WIRE_TYPES[tag & 7];
    if (number === 0 || type === undefined) throw new WireFormatError('a field tag is unknown');
    if (type === 'varint') yield { number, type, value: take(varintEnd() - at) };
    else if (type === 'fixed64') yield { number, type, value: take(8) };
    else if (type === 'fixed32') yield { number, type, value: take(4) };
    else yield { number, type, value: take(varint()) };
  }
}

/**
 * The one occurrence of a field that holds bytes or a message.
 * @throws WireFormatError when it is absent, repeated or of another type.
 */
export function requiredBytes(message: Uint8Array, number: number, name: string): Uint8Array {
  let found: Uint8Array | null = null;
  for (const field of readFields(message)) {
    if (field.number !== number) continue;
    if (field.type !== 'bytes') throw new WireFormatError(`${name} has the wrong type`);
    if (found !== null) throw new WireFormatError(`${name} is repeated`);
    found = field.value;
  }
  if (found === null) throw new WireFormatError(`${name} is missing`);
  return found;
}

/** A field that holds bytes or a message. */
export function bytesField(number: number, value: Uint8Array): Uint8Array {
  return concatBytes(varintBytes((number << 3) | 2), varintBytes(value.length), value);
}

/** A `fixed64` field; like every proto3 encoder it writes nothing for zero. */
export function fixed64Field(number: number, value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array(0);
  const field = new Uint8Array(9);
  field[0] = (number << 3) | 1;
  new DataView(field.buffer).setBigUint64(1, value, true);
  return field;
}

function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
