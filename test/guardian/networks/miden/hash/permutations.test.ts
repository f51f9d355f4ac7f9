import { describe, expect, it } from 'vitest';
import { P } from '../../../../../src/guardian/networks/miden/field.ts';
import {
  hashReference,
  poseidon2Reference,
  rpoReference,
} from '../../../../../src/guardian/networks/miden/hash/reference.ts';
import {
  hashElements,
  mergeWords,
  permute,
} from '../../../../../src/guardian/networks/miden/hash/poseidon2.ts';
import { rpoHashElements } from '../../../../../src/guardian/networks/miden/hash/rpo.ts';
import {
  poseidon2Constants,
  rpoConstants,
} from '../../../../../src/guardian/networks/miden/hash/constants.ts';
import {
  type Word,
  wordToHex,
  ZERO_WORD,
} from '../../../../../src/guardian/networks/miden/word.ts';
import { randomElements } from './random-elements.ts';

const EIGHT = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n];
const THREE = [1n, 2n, 3n];

describe('known answers', () => {
  it('of Poseidon2', () => {
    expect(wordToHex(hashElements(EIGHT))).toBe(
      '0x1f85f52c5851b7c7d12cf9070f228bedd3a32b0922a014e25692a8395772f5f2',
    );
    expect(wordToHex(hashElements(THREE))).toBe(
      '0xe5f7639e0e50bd1f68e39dc1f8f63302b71d81f641376ee86787ffe67bc8bcbc',
    );
  });

  it('of RPO', () => {
    expect(wordToHex(rpoHashElements(EIGHT))).toBe(
      '0x2d15fa1522183c4b10e47645ff7626875396dba8794a6461818f21a9d0ddd877',
    );
    expect(wordToHex(rpoHashElements(THREE))).toBe(
      '0x2f5d0913b615740fa193b141c1061790eca5c7a0b1e8fd430ebe02b7053032dc',
    );
  });

  it('of the generated constants (first and last of the published tables)', () => {
    expect(rpoConstants()[0]).toBe(5789762306288267392n);
    expect(rpoConstants()).toHaveLength(168);
    expect(poseidon2Constants()[0]).toBe(0x13dcf33aba214f46n);
    expect(poseidon2Constants()).toHaveLength(118);
  });
});

describe('WebAssembly against the BigInt definition', () => {
  const edges = [0n, 1n, P - 1n, 0xffffffffn, 0x100000000n, 0xffffffff00000000n];
  const inputs = [
    ...edges.map((edge) => Array.from({ length: 12 }, () => edge)),
    ...edges.map((edge, i) => Array.from({ length: 12 }, (_, k) => (k === i ? edge : 0n))),
    ...Array.from({ length: 40 }, (_, i) => randomElements(12, i)),
  ];

  it('permutes alike with Poseidon2', () => {
    for (const input of inputs) {
      const state = BigUint64Array.from(input);
      permute(state);
      expect([...state]).toEqual(poseidon2Reference(input));
    }
  });

  it('hashes alike with both, at every length around the rate', () => {
    for (let length = 0; length <= 25; length++) {
      const elements = randomElements(length, 1_000 + length);
      expect(hashElements(elements)).toEqual(hashReference(poseidon2Reference, elements));
      expect(hashElements(elements, 5n)).toEqual(hashReference(poseidon2Reference, elements, 5n));
      expect(rpoHashElements(elements)).toEqual(hashReference(rpoReference, elements));
    }
  });

  it('permutes alike with RPO on edge values', () => {
    for (const edge of edges) {
      const elements = Array.from({ length: 8 }, () => edge);
      expect(rpoHashElements(elements)).toEqual(hashReference(rpoReference, elements));
    }
  });

  it('absorbs more than its input buffer holds', () => {
    const elements = randomElements(8_192 + 8_192 + 3, 7);
    expect(hashElements(elements)).toEqual(hashReference(poseidon2Reference, elements));
  });
});

it('takes any 64-bit value as its residue', () => {
  const small = [0n, 1n, 0xfffffffen];
  const large = small.map((element) => element + P);
  expect(rpoHashElements(BigUint64Array.from(large))).toEqual(rpoHashElements(small));
  expect(hashElements(large)).toEqual(hashElements(small));
});

it('merges two words as the hash of their eight elements', () => {
  const [a, b] = [randomElements(4, 1), randomElements(4, 2)] as unknown as [Word, Word];
  expect(mergeWords(a, b)).toEqual(hashElements([...a, ...b]));
  expect(mergeWords(a, b, 9n)).toEqual(hashElements([...a, ...b], 9n));
  expect(mergeWords(a, b, 9n)).not.toEqual(mergeWords(a, b));
});

it('hashes nothing to the zero word', () => {
  expect(hashElements([])).toEqual(ZERO_WORD);
  expect(rpoHashElements([])).toEqual(ZERO_WORD);
});
