/**
 * The one instance of the WebAssembly module, with typed views of its memory. Calls are
 * synchronous and share the state and input areas: fill, call, read, without yielding between.
 */
import { poseidon2Constants, rpoConstants } from '../constants.ts';
import { permutationWasm } from './permutation.wasm.ts';

interface PermutationExports extends WebAssembly.Exports {
  memory: WebAssembly.Memory;
  STATE: WebAssembly.Global;
  INPUT: WebAssembly.Global;
  INPUT_ELEMENTS: WebAssembly.Global;
  EMPTY_ROOTS: WebAssembly.Global;
  POSEIDON2_CONSTANTS: WebAssembly.Global;
  RPO_CONSTANTS: WebAssembly.Global;
  poseidon2Permute(): void;
  rpoPermute(): void;
  begin(remainder: number, domain: bigint): void;
  absorbPoseidon2(count: number): void;
  absorbRpo(count: number): void;
  merge(domain: bigint): void;
  lift(indexLow: number, indexHigh: number, from: number, to: number): void;
  fillEmptyRoots(): void;
}

function instantiate(): PermutationExports {
  const binary = Uint8Array.from(atob(permutationWasm), (character) => character.charCodeAt(0));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
  return exports as PermutationExports;
}

const wasm = instantiate();

function view(address: WebAssembly.Global, elements: number): BigUint64Array {
  return new BigUint64Array(wasm.memory.buffer, address.value, elements);
}

view(wasm.POSEIDON2_CONSTANTS, 118).set(poseidon2Constants());
view(wasm.RPO_CONSTANTS, 168).set(rpoConstants());
wasm.fillEmptyRoots();

/** 12 elements: rate 0..7, capacity 8..11; a digest is elements 0..3. */
export const state = view(wasm.STATE, 12);
/** Elements to absorb. */
export const input = view(wasm.INPUT, wasm.INPUT_ELEMENTS.value);
/** Four elements a height, 0..64. */
export const emptyRoots = view(wasm.EMPTY_ROOTS, 65 * 4);

export const { poseidon2Permute, rpoPermute, begin, absorbPoseidon2, absorbRpo, merge, lift } =
  wasm;
