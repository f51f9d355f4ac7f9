import { shake256 } from '@noble/hashes/sha3.js';
import { P } from '../field.ts';

/**
 * Round constants of RPO: 7 rounds of 12 + 12 elements, drawn from SHAKE256 of the instance's name,
 * nine little-endian bytes each, mod P (the RPO paper, "Nothing up my sleeve" section).
 */
export function rpoConstants(): BigUint64Array {
  const count = 7 * 24;
  const bytes = shake256(new TextEncoder().encode(`RPO(${P},12,4,128)`), { dkLen: 9 * count });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const constants = new BigUint64Array(count);
  for (let i = 0; i < count; i++) {
    const low = view.getBigUint64(9 * i, true);
    const top = BigInt(view.getUint8(9 * i + 8));
    constants[i] = ((top << 64n) | low) % P;
  }
  return constants;
}

const GRAIN_BITS = 80;

/** The self-shrinking Grain LFSR of the Poseidon2 paper, seeded with the instance's parameters. */
class GrainLfsr {
  private readonly bits = new Uint8Array(GRAIN_BITS);
  private start = 0;

  constructor(parameters: readonly (readonly [value: number, width: number])[]) {
    let at = 0;
    for (const [value, width] of parameters) {
      for (let bit = width - 1; bit >= 0; bit--) this.bits[at++] = (value >>> bit) & 1;
    }
    for (let i = 0; i < 2 * GRAIN_BITS; i++) this.step();
  }

  private step(): number {
    const tap = (offset: number) => this.bits[(this.start + offset) % GRAIN_BITS]!;
    const bit = tap(62) ^ tap(51) ^ tap(38) ^ tap(23) ^ tap(13) ^ tap(0);
    this.bits[this.start] = bit;
    this.start = (this.start + 1) % GRAIN_BITS;
    return bit;
  }

  /** Steps come in pairs; the second bit counts only when the first is one. */
  private next(): number {
    for (;;) {
      const keep = this.step();
      const bit = this.step();
      if (keep === 1) return bit;
    }
  }

  /** 64 bits, most significant first; values >= P are drawn again. */
  element(): bigint {
    for (;;) {
      let high = 0;
      let low = 0;
      for (let i = 0; i < 32; i++) high = high * 2 + this.next();
      for (let i = 0; i < 32; i++) low = low * 2 + this.next();
      const value = (BigInt(high) << 32n) | BigInt(low);
      if (value < P) return value;
    }
  }
}

/** Round constants of Poseidon2: 4 external rounds of 12, 22 internal of 1, 4 external of 12. */
export function poseidon2Constants(): BigUint64Array {
  const grain = new GrainLfsr([
    [1, 2], // prime field
    [0, 4], // S-box x^alpha
    [64, 12], // bits of an element
    [12, 12], // state width
    [8, 10], // full rounds
    [22, 10], // partial rounds
    [0x3fffffff, 30],
  ]);
  return BigUint64Array.from({ length: 8 * 12 + 22 }, () => grain.element());
}
