import { expect, it, test } from 'vitest';
import { readOrder, Refusal } from './options.ts';
import { faultsOf } from './verdict.ts';

const read = (command: string) => readOrder(command.split(' ').filter(Boolean));

it('reads what a bench takes', () => {
  expect(read('wide --accounts 20 --queue none --latency 0 --engine {"pollInterval":50}')).toEqual({
    name: 'wide',
    json: false,
    batch: false,
    workers: 1,
    accounts: 20,
    queue: 'none',
    latencyMs: 0,
    concurrency: 20,
    ahead: undefined,
    connections: undefined,
    engine: { pollInterval: 50 },
    migrations: undefined,
  });
  expect(read('many --batch --json')).toMatchObject({ batch: true, json: true, queue: 'account' });
});

it.each([
  ['', 'There is no bench "". There are: miden, edge, many'],
  ['toString', 'There is no bench "toString".'],
  ['many wide', '"wide" is too much'],
  ['many --foo', "Unknown option '--foo'"],
  ['many --workers', "'--workers <value>' argument missing"],
  ['many --workers -1', "'--workers' argument is ambiguous"],
  ['many --workers 0', '--workers is a whole number of at least 1, not "0".'],
  ['many --workers=-1', '--workers is a whole number of at least 1, not "-1".'],
  ['many --accounts 1.5', '--accounts is a whole number of at least 1, not "1.5".'],
  ['many --accounts ten', '--accounts is a whole number of at least 1, not "ten".'],
  ['many --latency 1e3', '--latency is a whole number of at least 0, not "1e3".'],
  ['many --latency=', '--latency is a whole number of at least 0, not "".'],
  ['many --concurrency 0', '--concurrency is a whole number of at least 1'],
  ['many --ahead 0', '--ahead is a whole number of at least 1'],
  ['many --connections x', '--connections is a whole number of at least 1'],
  ['many --queue foo', '--queue is account or none, not "foo".'],
  ['many --engine {', '--engine is a JSON object, not "{".'],
  ['many --engine [1]', '--engine is a JSON object, not "[1]".'],
  ['many --engine null', '--engine is a JSON object, not "null".'],
  ['many --migrations nowhere', '--migrations is a folder of migrations, not "nowhere".'],
  ['many --batch --ahead 2', '--batch looks nothing up: --ahead has no use.'],
  ['hot --accounts 5', 'hot makes no use of --accounts. It takes --queue, --migrations,'],
  ['ingest --workers 3', 'ingest makes no use of --workers. It takes --queue, --migrations.'],
  ['recovery --latency 5', 'recovery makes no use of --latency.'],
  ['latency --batch', 'latency makes no use of --batch.'],
  ['miden --queue none', 'miden makes no use of --queue. It takes no options but --json.'],
])('refuses "%s" in one line', (command, text) => {
  expect(() => read(command)).toThrow(Refusal);
  expect(() => read(command)).toThrow(text);
  expect(() => read(command)).not.toThrow('\n');
});

test('a result says whether the work was done right', () => {
  const right = { order_violations: 0, lost: 0, duplicates: 0, without_answer: 0, p50_ms: 3 };
  expect(faultsOf(right)).toEqual([]);
  expect(faultsOf({ p50_ms: 3 })).toEqual([]);
  for (const name of ['order_violations', 'lost', 'duplicates', 'without_answer']) {
    expect(faultsOf({ ...right, [name]: 2 })).toEqual([`${name} is 2`]);
    expect(faultsOf({ ...right, [name]: Number.NaN })).toEqual([`${name} is NaN`]);
  }
});
