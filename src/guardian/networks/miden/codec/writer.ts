import type { Word } from '../word.ts';

/** Writes what `Reader` reads, into a buffer that grows. */
export class Writer {
  private bytes: Uint8Array;
  private view: DataView;
  private length = 0;

  /** @param capacity bytes expected, to spare growing. */
  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  private advance(length: number): number {
    const start = this.length;
    const end = start + length;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.bytes.length));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    this.length = end;
    return start;
  }

  raw(bytes: Uint8Array): this {
    const start = this.advance(bytes.length);
    this.bytes.set(bytes, start);
    return this;
  }

  u8(value: number): this {
    const start = this.advance(1);
    this.view.setUint8(start, value);
    return this;
  }

  u16(value: number): this {
    const start = this.advance(2);
    this.view.setUint16(start, value, true);
    return this;
  }

  u32(value: number): this {
    const start = this.advance(4);
    this.view.setUint32(start, value, true);
    return this;
  }

  u64(value: bigint): this {
    const start = this.advance(8);
    this.view.setBigUint64(start, value, true);
    return this;
  }

  word(word: Word): this {
    const start = this.advance(32);
    for (let i = 0; i < 4; i++) this.view.setBigUint64(start + 8 * i, word[i]!, true);
    return this;
  }

  /** A vint64 in its shortest form; `value` below 2^28. */
  usize(value: number): this {
    let length = 1;
    while (value >= 2 ** (7 * length)) length++;
    let encoded = (value * 2 + 1) * 2 ** (length - 1);
    for (let i = 0; i < length; i++) {
      this.u8(encoded % 256);
      encoded = Math.floor(encoded / 256);
    }
    return this;
  }

  /** What was written, in a buffer of its own. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
