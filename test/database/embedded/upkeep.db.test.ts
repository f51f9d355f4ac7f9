import fs from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { EmbeddedHub } from '../../../src/database/embedded/hub.ts';
import { startUpkeep } from '../../../src/database/embedded/upkeep.ts';

let engine: PGlite;
let hub: EmbeddedHub;
let client: pg.Client;
const failures: unknown[] = [];

beforeAll(async () => {
  const template = new Blob([fs.readFileSync(inject('embeddedTemplate'))]);
  engine = await PGlite.create({ loadDataDir: template });
  hub = new EmbeddedHub(engine, { onFatal: (error) => failures.push(error) });
  client = new pg.Client({ user: 'postgres', stream: () => hub.connect() });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await hub.close();
  await engine.close();
  expect(failures).toEqual([]);
});

const only = async (sql: string): Promise<unknown> => {
  const { rows } = await client.query({ text: sql, rowMode: 'array' });
  return rows[0]?.[0];
};

it('moves the checkpoint forward and gives the space of deleted rows back', async () => {
  await client.query(
    'create table big as select repeat($$x$$, 1000) from generate_series(1, 2000)',
  );
  await client.query('delete from big');
  const checkpoint = () => only('select checkpoint_lsn::text from pg_control_checkpoint()');
  const before = await checkpoint();
  const upkeep = startUpkeep(hub, (error) => failures.push(error), {
    checkpointMs: 20,
    vacuumMs: 30,
  });
  // a query waits for the vacuum before it, which takes a second on a busy machine
  const patience = { timeout: 15_000 };
  await expect.poll(checkpoint, patience).not.toBe(before);
  await expect.poll(() => only(`select pg_relation_size('big')::int`), patience).toBe(0);
  await upkeep.stop();
  const after = await checkpoint();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(await checkpoint()).toBe(after);
});
