/** Which processes may start on which store. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { loadConfig } from '../../../src/config/load.ts';
import type { Database } from '../../../src/database/connect.ts';
import { openConfiguredStorage, storageKeys } from '../../../src/entry/compose/storage.ts';
import { errorHandler } from '../../../src/http/errors.ts';
import { insertAccounts } from '../../operators/stage.ts';
import { everyDatabase } from '../../support/databases.ts';
import { Hono } from 'hono';

const [one, two] = [0, 1].map(() => randomBytes(32).toString('base64')) as [string, string];
const account = `0x${'0'.repeat(29)}1`;

describe.each(everyDatabase)('the start on $name', ({ open }) => {
  let database: Database;
  beforeEach(async () => {
    database = await open();
  });
  afterEach(() => database.close());

  const start = (key?: string, id = 'k1', old = '') =>
    openConfiguredStorage(
      database.sql,
      storageKeys(
        loadConfig({
          GUARDIAN_STORAGE_ENCRYPTION_KEY: key,
          GUARDIAN_STORAGE_ENCRYPTION_KEY_ID: id,
          GUARDIAN_STORAGE_ENCRYPTION_OLD_KEYS: old,
        }),
      ),
    );
  const refusal = async (...args: Parameters<typeof start>) => {
    const error = await start(...args).catch((thrown: unknown) => thrown);
    const { name, message } = error as Error;
    expect(name).toBe('ConfigError');
    for (const key of [one, two]) expect(message).not.toContain(key.slice(4, 20));
    return message;
  };

  it('without a key stays in the clear for good', async () => {
    await start();
    await insertAccounts(database, 1);
    await start();
    expect(await refusal(one)).toMatch(/data in the clear: GUARDIAN_STORAGE_ENCRYPTION_KEY needs/);
    await start();
  });

  it('with a key marks an empty store, once, and then needs that key', async () => {
    await Promise.all([start(one), start(one), start(one)]);
    expect(await database.sql`select initial_key_id from guardian.storage_encryption`).toHaveLength(
      1,
    );
    expect(await refusal()).toMatch(/set GUARDIAN_STORAGE_ENCRYPTION_KEY/);
    expect(await refusal(two, 'k2')).toMatch(/key k1: it has to stay in .*_OLD_KEYS/);
    // another key under the same id
    expect(await refusal(two)).toMatch(/k1 is not the one this database was first encrypted with/);
    expect(await refusal(two, 'k2', `k1:${two}`)).toMatch(/k1 is not the one/);
    await start(two, 'k2', `k1:${one}`);
    await start(one);
  });

  it('takes an account of either kind for data', async () => {
    await database.sql`insert into guardian.evm_account (account_id, chain_id, address, validator)
      values ('evm:1:0x1', 1, '0x1', '0x2')`;
    expect(await refusal(one)).toMatch(/in the clear/);
  });

  it('leaves a process without a key, running since before, nothing to write', async () => {
    const clear = await start();
    const storage = await start(one);
    await expect(insertAccounts(database, 1)).rejects.toThrow(/this process has no key/);
    const insert = (state: Uint8Array) => database.sql`
      insert into guardian.account (account_id, auth_scheme, signer_commitments, commitment, state)
      values (${account}, 'falcon', array['s'], 'c', ${state})`;
    const state = randomBytes(60);
    await expect(insert(clear.sealState(account, state))).rejects.toThrow(/has no key/);
    await insert(storage.sealState(account, state));
    await database.sql`insert into guardian.evm_account (account_id, chain_id, address, validator)
      values ('evm:1:0x1', 1, '0x1', '0x2')`;
    const propose = (payload: string) => database.sql`
      select guardian.create_evm_proposal('evm:1:0x1', '0x3', '0x2', '0x4', ${payload}, 0::numeric,
        '0x5', array['0x5'], 1, '0x6', 60, 5)`;
    const sealed = storage.sealProposal('evm:1:0x1', '0x3', '0xabcdef');
    await expect(propose('0xabcdef')).rejects.toThrow(/has no key/);
    await propose(sealed);
    const [row] = await database.sql<{ payload: string }[]>`
      select payload from guardian.evm_proposal`;
    expect(row?.payload).not.toContain('abcdef');
    expect(storage.openProposal('evm:1:0x1', '0x3', row!.payload)).toBe('0xabcdef');
  });
});

it('what cannot be opened leaves one line in the log, without the data', async () => {
  const database = await everyDatabase[0]!.open();
  const keys = storageKeys(loadConfig({ GUARDIAN_STORAGE_ENCRYPTION_KEY: one }));
  const storage = await openConfiguredStorage(database.sql, keys);
  const stored = storage.sealProposal(account, '0x1', '{"secret":"to my dentist"}');
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => lines.push(line) });
  const app = new Hono();
  app.get('/', (c) => c.json(storage.openProposal(account, '0x2', stored)));
  app.onError(errorHandler(log));
  const response = await app.request('/');
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: 'account_data_unavailable' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('it was changed, or it was stored for something else');
  expect(lines[0]).not.toContain((JSON.parse(stored) as { ct: string }).ct.slice(0, 16));
  expect(lines[0]).not.toContain(one.slice(4, 20));
  await database.close();
});
