/**
 * The random stream of Miden's signer: rand_chacha's ChaCha20Rng. RFC 8439's block function with
 * a 64-bit counter and a zero nonce; every read consumes whole 32-bit words.
 */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const BLOCK_BYTES = 64;
/** Column round, then diagonal round. */
const QUARTERS: readonly (readonly [number, number, number, number])[] = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

export class ChaCha20Stream {
  readonly #input = new Uint32Array(16);
  readonly #block = new Uint8Array(BLOCK_BYTES);
  #at = BLOCK_BYTES;

  /** @param seed 32 bytes. */
  constructor(seed: Uint8Array) {
    const view = new DataView(seed.buffer, seed.byteOffset, 32);
    this.#input.set(CONSTANTS);
    for (let i = 0; i < 8; i += 1) this.#input[4 + i] = view.getUint32(4 * i, true);
  }

  /** Fills `target` with the next bytes. */
  read(target: Uint8Array): void {
    for (let at = 0; at < target.length; at += 4) {
      if (this.#at === BLOCK_BYTES) this.#nextBlock();
      const length = Math.min(4, target.length - at);
      for (let i = 0; i < length; i += 1) target[at + i] = this.#block[this.#at + i]!;
      this.#at += 4;
    }
  }

  #nextBlock(): void {
    const x = this.#input.slice();
    for (let round = 0; round < 10; round += 1) {
      for (const [a, b, c, d] of QUARTERS) quarterRound(x, a, b, c, d);
    }
    const view = new DataView(this.#block.buffer);
    for (let i = 0; i < 16; i += 1) view.setUint32(4 * i, x[i]! + this.#input[i]!, true);
    this.#at = 0;
    this.#input[12]! += 1;
    if (this.#input[12] === 0) this.#input[13]! += 1;
  }
}

function quarterRound(x: Uint32Array, a: number, b: number, c: number, d: number): void {
  x[a]! += x[b]!;
  x[d] = rotate(x[d]! ^ x[a]!, 16);
  x[c]! += x[d]!;
  x[b] = rotate(x[b]! ^ x[c]!, 12);
  x[a]! += x[b]!;
  x[d] = rotate(x[d]! ^ x[a]!, 8);
  x[c]! += x[d]!;
  x[b] = rotate(x[b]! ^ x[c]!, 7);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
