/**
 * `npm run cluster -- --api N --workers M [--deno K] [--port P]`: a fleet on this machine, for
 * people and for tests. Prints one line of JSON when it is ready; SIGINT or SIGTERM ends it.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { startControl } from './control.ts';
import { startFleet } from './fleet.ts';

const { values } = parseArgs({
  options: {
    /** API replicas on Node, and on Deno. */
    api: { type: 'string', default: '2' },
    deno: { type: 'string', default: '0' },
    workers: { type: 'string', default: '1' },
    /** Of the proxy; a free one when left out. */
    port: { type: 'string', default: '0' },
  },
});

/** As many processes as one machine can bear, with the connections of one Postgres. */
const mostReplicas = 20;

function count(name: keyof typeof values, most: number): number {
  const text = values[name];
  if (!/^\d{1,5}$/.test(text) || Number(text) > most) {
    console.error(`--${name} is a whole number up to ${most} (it is "${text}")`);
    process.exit(2);
  }
  return Number(text);
}

const started = startFleet({
  api: count('api', mostReplicas),
  deno: count('deno', mostReplicas),
  workers: count('workers', mostReplicas),
  port: count('port', 65_535),
}).then(async (fleet) => ({ fleet, control: await startControl(fleet) }));

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    // one that is still starting is ended when it has started
    void started.then(async ({ fleet, control }) => {
      await control.close();
      await fleet.stop();
      process.exit(0);
    });
  });
}

try {
  const { control } = await started;
  if (!stopping) console.log(JSON.stringify(control.describe()));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
