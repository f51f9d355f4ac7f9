/** Connections of the job engine that fall silent: nobody closes them, nobody answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { engineUrl } from '../../src/database/connect.ts';
import { endSilentConnections } from '../../src/database/silent-connections.ts';
import { startProxy } from '../faults/proxy.ts';
import { createDatabase } from '../support/databases.ts';

async function throughProxy(deadlineMs: number) {
  const created = await createDatabase({ migrated: false });
  onTestFinished(() => created.drop());
  const url = new URL(created.url);
  const proxy = await startProxy(Number(url.port));
  onTestFinished(() => proxy.close());
  url.port = String(proxy.port);
  const pool = new pg.Pool({ connectionString: url.toString(), max: 1 });
  onTestFinished(() => pool.end());
  endSilentConnections(pool, deadlineMs);
  return { pool, proxy };
}

it('fail their statement, and the pool goes on with new ones', async () => {
  const { pool, proxy } = await throughProxy(300);
  const client = await pool.connect();
  await client.query('select 1');
  proxy.silence();
  await expect(client.query('select 1')).rejects.toThrow('Connection terminated');
  client.release();
  expect((await pool.query('select 2 as n')).rows).toEqual([{ n: 2 }]);
  proxy.silence();
  // the other way to ask: with a callback
  await expect(pool.query('select 1')).rejects.toThrow('Connection terminated');
  expect((await pool.query('select 3 as n')).rows).toEqual([{ n: 3 }]);
});

it('are not those that rest, nor those whose statements are answered one after the other', async () => {
  const { pool } = await throughProxy(1_000);
  const client = await pool.connect();
  const backend = async () =>
    (await client.query<{ pid: number }>('select pg_backend_pid() as pid, pg_sleep(0.4)')).rows[0]
      ?.pid;
  const before = await backend();
  await sleep(1_200);
  expect([await backend(), await backend(), await backend()]).toEqual([before, before, before]);
  client.release();
});

it('an engine with a pool of its own has the same sessions', async () => {
  const created = await createDatabase({ migrated: false });
  onTestFinished(() => created.drop());
  const client = new pg.Client({ connectionString: engineUrl(created.url) });
  await client.connect();
  onTestFinished(() => client.end());
  const { rows } = await client.query<{ name: string; setting: string }>(`
    select name, current_setting(name) as setting from pg_settings
    where name in ('enable_seqscan', 'jit', 'plan_cache_mode', 'statement_timeout')
    order by name`);
  expect(rows.map(({ setting }) => setting)).toEqual(['off', 'off', 'force_custom_plan', '30s']);
});
