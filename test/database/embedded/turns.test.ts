/** A burst of queries on the embedded database must not keep the event loop from turning. */
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { EmbeddedHub } from '../../../src/database/embedded/hub.ts';
import { message, queryMessage } from '../../../src/database/embedded/wire.ts';
import { databaseLimits } from '../../../src/limits.ts';

const queryMs = 2;
const clients = 20;

let answered = 0;

/** As PGlite does: computes on the calling thread and answers in a microtask. */
const engine = {
  async execProtocolRawStream(_: Uint8Array, options: { onRawData: (data: Uint8Array) => void }) {
    const end = performance.now() + queryMs;
    while (performance.now() < end);
    options.onRawData(message('Z', new TextEncoder().encode('I')));
    answered += 1;
  },
};

it('gives the event loop its turn between the queries of many clients', async () => {
  const failures: Error[] = [];
  const hub = new EmbeddedHub(engine, { onFatal: (error) => failures.push(error) });
  const startup = new Uint8Array([0, 0, 0, 8, 0, 3, 0, 0]);
  for (let i = 0; i < clients; i++) {
    const connection = hub.connect();
    connection.write(startup);
    connection.write(queryMessage('select 1'));
  }
  let turns = 0;
  const isAnswered = () => answered >= clients;
  while (!isAnswered()) {
    await nextTurn();
    turns += 1;
  }
  await hub.close();
  expect(failures).toEqual([]);
  // a turn ends with the query that passes the limit
  expect(turns).toBeGreaterThanOrEqual(
    (clients * queryMs) / (databaseLimits.embeddedTurnMs + 2 * queryMs),
  );
});
