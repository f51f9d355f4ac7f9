import fs from 'node:fs';
import solc from 'solc';
import * as v from 'valibot';
import type { Abi, Hex } from 'viem';

const messages = v.object({
  errors: v.optional(v.array(v.object({ severity: v.string(), formattedMessage: v.string() })), []),
});
const output = v.object({
  contracts: v.record(
    v.string(),
    v.record(
      v.string(),
      v.object({
        abi: v.custom<Abi>((value) => Array.isArray(value)),
        evm: v.object({ bytecode: v.object({ object: v.pipe(v.string(), v.hexadecimal()) }) }),
      }),
    ),
  ),
});

export interface Contract {
  abi: Abi;
  bytecode: Hex;
}

const names = ['Account', 'MultisigValidator', 'EntryPoint'] as const;
export type ContractName = (typeof names)[number];

/** Compiles the contracts of the tests; less than a second. */
export function compileContracts(): Record<ContractName, Contract> {
  const read = (name: string) =>
    fs.readFileSync(new URL(`./contracts/${name}.sol`, import.meta.url), 'utf8');
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(names.map((name) => [name, { content: read(name) }])),
    settings: { outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
  };
  const compile: (text: string) => unknown = solc.compile;
  const answer: unknown = JSON.parse(String(compile(JSON.stringify(input))));
  const fault = v.parse(messages, answer).errors.find(({ severity }) => severity === 'error');
  if (fault) throw new Error(fault.formattedMessage);
  const { contracts } = v.parse(output, answer);
  const contract = (name: ContractName): Contract => {
    const compiled = contracts[name]?.[name];
    if (!compiled) throw new Error(`${name} was not compiled`);
    return { abi: compiled.abi, bytecode: `0x${compiled.evm.bytecode.object}` };
  };
  return {
    Account: contract('Account'),
    MultisigValidator: contract('MultisigValidator'),
    EntryPoint: contract('EntryPoint'),
  };
}
