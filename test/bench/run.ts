/**
 * `npm run bench -- <name> [--json]`: measures one thing on this machine and prints a table; with
 * `--json` the last line is one object with every figure and the machine.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { machine, printTable, type Bench } from './report.ts';

const benches: Record<string, () => Promise<Bench>> = {
  miden: async () => (await import('./miden.ts')).bench,
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean' } },
  allowPositionals: true,
});
const [name = ''] = positionals;
const load = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (!load) {
  console.error(`There is no bench "${name}". There are: ${Object.keys(benches).join(', ')}.`);
  process.exit(2);
}
const bench = await load();
const started = performance.now();
const { notes, figures } = await bench(console.error);
const seconds = Number(((performance.now() - started) / 1_000).toFixed(1));
if (values.json) console.log(JSON.stringify({ bench: name, seconds, machine, notes, figures }));
else printTable(name, notes, figures);
process.exit(0);
