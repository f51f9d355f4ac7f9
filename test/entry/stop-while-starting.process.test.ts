/** A process that is asked to stop while it starts ends in order: it never dies by the signal. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { createDatabase } from '../support/databases.ts';
import { startDeno, startNode } from '../support/process.ts';

/** A way to a server that lets nothing through until it is opened. */
async function startGate(target: URL) {
  const arrived = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const gate = createServer((near) => {
    near.on('error', () => {});
    arrived.resolve();
    void opened.promise.then(() => {
      const far = connect(Number(target.port), target.hostname);
      far.on('error', () => near.destroy());
      near.pipe(far).pipe(near);
    });
  });
  gate.listen(0, '127.0.0.1');
  await once(gate, 'listening');
  onTestFinished(() => void gate.close());
  const url = new URL(target);
  const address = gate.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  url.port = String(address.port);
  return { url: url.href, arrived: arrived.promise, open: () => opened.resolve() };
}

it.each([
  { runtime: 'Node', start: startNode, file: 'src/entry/worker.ts' },
  { runtime: 'Node', start: startNode, file: 'src/entry/api.ts' },
  { runtime: 'Deno', start: startDeno, file: 'src/entry/api.deno.ts' },
])('$file on $runtime, asked while it connects', async ({ start, file }) => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const gate = await startGate(new URL(database.url));
  const running = start(file, {
    env: { DATABASE_URL: gate.url, GUARDIAN_NETWORK_TYPE: 'local', PORT: '0' },
  });
  onTestFinished(() => void running.child.kill('SIGKILL'));
  await gate.arrived;
  running.child.kill('SIGTERM');
  gate.open();
  await running.says(/ready/);
  expect(await running.exit, running.output()).toBe(0);
  // what a planned stop takes back: the others need not wait for its heartbeat to grow old
  const { sql, close } = await openDatabase({ databaseUrl: database.url });
  const present = await sql`
    select worker_id as id from canonry.worker union all select replica_id from canonry.replica`;
  await close();
  expect(present).toHaveLength(0);
});

it('a second signal ends it at once', async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const gate = await startGate(new URL(database.url));
  const running = startNode('src/entry/worker.ts', {
    env: { DATABASE_URL: gate.url, GUARDIAN_NETWORK_TYPE: 'local' },
  });
  await gate.arrived;
  running.child.kill('SIGTERM');
  running.child.kill('SIGINT');
  expect(await running.exit).toBe(130);
});
