import { expect, it } from 'vitest';
import { compilePermutation, permutationModule } from '../../../../../scripts/build-wasm.ts';
import { permutationWasm } from '../../../../../src/guardian/networks/miden/hash/wasm/permutation.wasm.ts';

it('the committed WebAssembly is what its source compiles to', async () => {
  const built = permutationModule(await compilePermutation());
  expect(built).toContain(`'${permutationWasm}'`);
}, 60_000);
