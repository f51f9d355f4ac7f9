import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { EmbeddedConnection } from '../../../src/database/embedded/connection.ts';
import { EmbeddedHub } from '../../../src/database/embedded/hub.ts';
import { openEmbedded, type EmbeddedDatabase } from '../../../src/database/embedded/open.ts';
import { queryMessage } from '../../../src/database/embedded/wire.ts';

const user = { host: 'embedded', user: 'postgres', database: 'postgres' };
const idleInTransactionMs = 300;

let embedded: EmbeddedDatabase;
let sql: postgres.Sql;
let pool: pg.Pool;
const failures: unknown[] = [];

beforeAll(async () => {
  embedded = await openEmbedded({
    template: new Blob([fs.readFileSync(inject('embeddedTemplate'))]),
    idleInTransactionMs,
    onFatal: (error) => failures.push(error),
    onUpkeepError: (error) => failures.push(error),
  });
  const throughHub = { ...user, max: 8, socket: () => embedded.connect(), onnotice: () => {} };
  sql = postgres(throughHub);
  pool = new pg.Pool({ ...user, max: 8, stream: () => embedded.connect() });
});

beforeEach(async () => {
  await sql`drop table if exists counter`;
  await sql`create table counter (id int primary key, n int not null)`;
  await sql`insert into counter select g, 0 from generate_series(1, 3) g`;
});

afterAll(async () => {
  await sql.end();
  await pool.end();
  await embedded.close();
  expect(failures).toEqual([]);
});

async function lonelyClient(): Promise<{ client: pg.Client; stream: EmbeddedConnection }> {
  const stream = embedded.connect();
  const client = new pg.Client({ ...user, stream: () => stream });
  await client.connect();
  return { client, stream };
}

const countOf = async (id: number) =>
  (await sql<{ n: number }[]>`select n from counter where id = ${id}`)[0]?.n;

describe('one session, many clients', () => {
  it('keeps transactions of two drivers apart', async () => {
    const increment = async (index: number) => {
      if (index % 2 === 0) {
        await sql.begin(async (tx) => {
          const [row] = await tx`select n from counter where id = 1`;
          await sleep(1);
          await tx`update counter set n = ${row?.n + 1} where id = 1`;
        });
        return;
      }
      const client = await pool.connect();
      await client.query('begin');
      const { rows } = await client.query('select n from counter where id = 1');
      await sleep(1);
      await client.query('update counter set n = $1 where id = 1', [rows[0].n + 1]);
      await client.query('commit');
      client.release();
    };
    await Promise.all(Array.from({ length: 40 }, (_, index) => increment(index)));
    expect(await countOf(1)).toBe(40);
  });

  it('answers each of 300 parallel queries with its own result', async () => {
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        index % 2 === 0
          ? sql.unsafe(`select $1::int as value, ${index} as c${index % 7}`, [index])
          : pool.query('select $1::int as value', [index]).then(({ rows }) => rows),
      ),
    );
    expect(answers.map((rows) => rows[0]?.value)).toEqual(answers.map((_, index) => index));
  });

  it('rolls back only the transaction that failed', async () => {
    const failing = sql.begin(async (tx) => {
      await tx`update counter set n = 1 where id = 2`;
      await sleep(20);
      await tx`select 1 / 0`;
    });
    await Promise.all([
      expect(failing).rejects.toThrow('division by zero'),
      pool.query('update counter set n = n + 100 where id = 2'),
      sql`update counter set n = n + 1000 where id = 2`,
    ]);
    expect(await countOf(2)).toBe(1100);
  });

  it('lets two clients use one statement name, and gives the statements back', async () => {
    const first = await lonelyClient();
    const second = await lonelyClient();
    const add = { name: 's', text: 'select $1::int + 1 as v' };
    await first.client.query({ ...add, values: [1] });
    const text = await second.client.query({
      name: 's',
      text: 'select $1::text as v',
      values: ['q'],
    });
    const sum = await first.client.query({ ...add, values: [5] });
    expect([sum.rows[0].v, text.rows[0].v]).toEqual([6, 'q']);
    const left = () => sql`select name from pg_prepared_statements where name like '%:s'`;
    expect(await left()).toHaveLength(2);
    await first.client.end();
    await second.client.end();
    expect(await left()).toHaveLength(0);
  });

  it('passes cursors, several statements in one query and COPY TO on', async () => {
    let seen = 0;
    await sql`select g from generate_series(1, 250) g`.cursor(100, (rows) => {
      seen += rows.length;
    });
    expect(seen).toBe(250);
    expect(await pool.query('select 1 as a; select 2 as b')).toHaveLength(2);
    let copied = '';
    for await (const chunk of await sql`copy counter to stdout`.readable()) copied += chunk;
    expect(copied).toBe('1\t0\n2\t0\n3\t0\n');
  });

  it('refuses COPY FROM STDIN with an error that leaves the session usable', async () => {
    await expect(pool.query('copy counter from stdin')).rejects.toThrow('COPY FROM STDIN');
    await expect(sql`copy counter from stdin`.writable()).rejects.toThrow('COPY FROM STDIN');
    expect(await countOf(1)).toBe(0);
  });
});

describe('notifications', () => {
  it('reach those who listen, whoever sent them, and only after a commit', async () => {
    const heard: string[] = [];
    const { client } = await lonelyClient();
    client.on('notification', ({ channel, payload }) => heard.push(`pg ${channel} ${payload}`));
    await client.query('listen jobs; listen "Odd ""name"');
    const subscription = await sql.listen('jobs', (payload) =>
      heard.push(`postgres.js ${payload}`),
    );
    await sql.notify('jobs', '1');
    await pool.query(`select pg_notify('Odd "name', '2')`);
    const undone = sql.begin(async (tx) => {
      await tx`select pg_notify('jobs', 'never')`;
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    await expect
      .poll(() => heard.toSorted())
      .toEqual(['pg Odd "name 2', 'pg jobs 1', 'postgres.js 1']);
    heard.length = 0;
    await client.query('unlisten jobs'); // must not deafen the other
    await sql.notify('jobs', '3');
    await expect.poll(() => heard).toEqual(['postgres.js 3']);
    await subscription.unlisten();
    await client.end();
  });
});

describe('clients that go wrong', () => {
  it('rolls back a client that dies inside a transaction', async () => {
    const { client, stream } = await lonelyClient();
    client.on('error', () => {});
    await client.query('begin');
    await client.query('update counter set n = -1 where id = 3');
    const waiting = countOf(3);
    stream.destroy();
    expect(await waiting).toBe(0);
  });

  it('cuts off a client that leaves a transaction open', async () => {
    const { client } = await lonelyClient();
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    await client.query('begin');
    await client.query('update counter set n = -1 where id = 3');
    const before = performance.now();
    expect(await countOf(3)).toBe(0);
    expect(performance.now() - before).toBeGreaterThan(idleInTransactionMs * 0.9);
    expect(errors[0]).toMatchObject({ code: '25P03' });
  });

  it('understands messages that arrive byte by byte', async () => {
    const stream = embedded.connect();
    const startup = Buffer.alloc(8);
    startup.writeInt32BE(8, 0);
    startup.writeInt32BE(196_608, 4);
    let answer = '';
    stream.on('data', (bytes: Buffer) => (answer += bytes.toString('latin1')));
    for (const byte of Buffer.concat([startup, queryMessage(`select 'in pieces' as v`)])) {
      stream.write(Buffer.from([byte]));
    }
    await expect.poll(() => answer).toContain('in pieces');
    stream.destroy();
  });
});

describe('an engine that fails', () => {
  it.each([
    ['throws', () => Promise.reject(new Error('trap'))],
    ['does not answer', () => Promise.resolve()],
  ])('%s: clients hear of it, the owner is told, nobody connects again', async (_, run) => {
    const told: Error[] = [];
    const hub = new EmbeddedHub(
      { execProtocolRawStream: run },
      { onFatal: (error) => told.push(error) },
    );
    const client = new pg.Client({ ...user, stream: () => hub.connect() });
    client.on('error', () => {});
    await client.connect();
    await expect(client.query('select 1')).rejects.toThrow('embedded database failed');
    expect(told).toHaveLength(1);
    expect(() => hub.connect()).toThrow('embedded database failed');
    await hub.close();
  });
});
