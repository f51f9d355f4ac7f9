import { UnverifiableError } from '../../network.ts';
import { P } from '../field.ts';
import type { Word } from '../word.ts';

/** Counts of 2^28 and more cannot belong to bytes of a bounded size. */
const LONGEST_COUNT_BYTES = 4;

/**
 * Reads Miden's binary format: little-endian integers, canonical field elements, and counts that
 * are checked against the bytes left before anything is allocated. Every refusal is an
 * UnverifiableError that names the position.
 */
export class Reader {
  /** Position of the next byte. */
  position = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly subject: string;

  /** @param subject what the bytes are, for the messages. */
  constructor(bytes: Uint8Array, subject: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.subject = subject;
  }

  /** An error at the current position, for the caller to throw. */
  refusal(reason: string): UnverifiableError {
    return new UnverifiableError(`${this.subject}: ${reason} (byte ${this.position})`);
  }

  private advance(length: number): number {
    const start = this.position;
    if (length > this.bytes.length - start) throw this.refusal('unexpected end of data');
    this.position = start + length;
    return start;
  }

  /** A view of the next `length` bytes, not a copy. */
  take(length: number): Uint8Array {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** The bytes from `start` to the current position, not a copy. */
  since(start: number): Uint8Array {
    return this.bytes.subarray(start, this.position);
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.advance(8), true);
  }

  /** A field element, below P. */
  felt(): bigint {
    const value = this.u64();
    if (value >= P) throw this.refusal('non-canonical field element');
    return value;
  }

  word(): Word {
    return [this.felt(), this.felt(), this.felt(), this.felt()];
  }

  /**
   * A vint64: the trailing zeros of the first byte say how many bytes follow. The Rust reader also
   * takes longer forms than needed, but its writer never makes them; only the shortest is read
   * here, so that what is read is also what would be written.
   */
  usize(): number {
    const first = this.bytes[this.position];
    if (first === undefined) throw this.refusal('unexpected end of data');
    const length = first === 0 ? 9 : 32 - Math.clz32(first & -first);
    if (length > LONGEST_COUNT_BYTES) throw this.refusal('a count is too large');
    const start = this.advance(length);
    let value = 0;
    for (let i = length - 1; i >= 0; i--) value = value * 256 + this.bytes[start + i]!;
    value = Math.floor(value / 2 ** length);
    if (length > 1 && value < 2 ** (7 * (length - 1))) {
      throw this.refusal('a count is not in its shortest form');
    }
    return value;
  }

  /** A count of items that take at least `itemBytes` each, so at most what the bytes left allow. */
  count(itemBytes: number): number {
    const count = this.usize();
    this.expect(count, itemBytes);
    return count;
  }

  /** @throws UnverifiableError unless `count` items of at least `itemBytes` can follow. */
  expect(count: number, itemBytes: number): void {
    if (count * itemBytes > this.bytes.length - this.position) {
      throw this.refusal('a count exceeds the data');
    }
  }

  /** The tag of an optional value. */
  isPresent(): boolean {
    const tag = this.u8();
    if (tag > 1) throw this.refusal('unknown tag of an optional value');
    return tag === 1;
  }

  /** @throws UnverifiableError when bytes are left. */
  end(): void {
    if (this.position !== this.bytes.length) throw this.refusal('trailing bytes');
  }
}
