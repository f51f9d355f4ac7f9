/** What a process of the fleet says at its start, and which starts it refuses (protocol §5.3). */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { runNode, type RunningProcess } from '../support/process.ts';
import { startDeno } from '../support/spawn.ts';
import { ackSecrets as secrets } from '../support/ack-secrets.ts';

const cursorSecret = '7d'.repeat(32);
const production = {
  GUARDIAN_ENV: 'prod',
  GUARDIAN_NETWORK_TYPE: 'testnet',
  GUARDIAN_ACK_SECRET_PROVIDER: 'env',
  GUARDIAN_ACK_FALCON_SECRET: secrets.falcon,
  GUARDIAN_ACK_ECDSA_SECRET: secrets.ecdsa,
  GUARDIAN_DASHBOARD_CURSOR_SECRET: cursorSecret,
  DATABASE_URL: 'postgres://canonry:pass-word@127.0.0.1:9/canonry',
};
const hidden = [secrets.falcon.slice(2, 42), secrets.ecdsa, 'pass-word', cursorSecret];

type Refusal = [what: string, change: Record<string, string>, remedy: RegExp];
const refusals: Refusal[] = [
  ['the embedded database', { DATABASE_URL: '' }, /set DATABASE_URL/],
  ['the stage in other letters', { GUARDIAN_ENV: '  PrOd ', DATABASE_URL: '' }, /set DATABASE_URL/],
  [
    'generated acknowledgement keys',
    { GUARDIAN_ACK_SECRET_PROVIDER: 'none' },
    /set GUARDIAN_ACK_SECRET_PROVIDER/,
  ],
  [
    'a missing acknowledgement key',
    { GUARDIAN_ACK_ECDSA_SECRET: '' },
    /needs both GUARDIAN_ACK_FALCON_SECRET and GUARDIAN_ACK_ECDSA_SECRET/,
  ],
  ['the development chain', { GUARDIAN_NETWORK_TYPE: 'local' }, /set GUARDIAN_NETWORK_TYPE to/],
  [
    'a burst that divides to zero',
    { GUARDIAN_RATE_BURST_PER_SEC: '5', GUARDIAN_MAX_REPLICAS: '6' },
    /GUARDIAN_RATE_BURST_PER_SEC=5 .* raise it, or lower GUARDIAN_MAX_REPLICAS/,
  ],
  [
    'a rate that divides to zero',
    { GUARDIAN_RATE_PER_MIN: '1', GUARDIAN_MAX_REPLICAS: '2' },
    /GUARDIAN_RATE_PER_MIN=1 .* raise it, or lower GUARDIAN_MAX_REPLICAS/,
  ],
  ...['0', '-1', '2.5', 'three', '1e3', '0x10'].map((count): Refusal => [
    `${count} replicas`,
    { GUARDIAN_MAX_REPLICAS: count },
    /GUARDIAN_MAX_REPLICAS: must be/,
  ]),
  [
    'a cursor secret of another form',
    { GUARDIAN_DASHBOARD_CURSOR_SECRET: 'abc' },
    /GUARDIAN_DASHBOARD_CURSOR_SECRET: must be/,
  ],
  ['any browser origin, by name', { GUARDIAN_CORS_ALLOWED_ORIGINS: '*' }, /must not contain \*/],
];

async function expectRefused(refused: RunningProcess, remedy: RegExp): Promise<void> {
  expect(await refused.exit).toBe(1);
  expect(refused.output()).toMatch(remedy);
  // a message, not a stack
  expect(refused.output().trim().split('\n').length).toBeLessThanOrEqual(2);
  for (const secret of hidden) expect(refused.output()).not.toContain(secret);
}

describe('SC-006: the prod stage refuses, every time and with the remedy', () => {
  it.each(refusals)('%s', async (_what, change, remedy) => {
    await expectRefused(runNode('src/entry/api.ts', { env: { ...production, ...change } }), remedy);
  });

  it.each([['src/entry/dev-chain.ts'], ['src/entry/dev.ts']])('%s as a whole', async (file) => {
    const refused = runNode(file, { env: production });
    await expectRefused(refused, /development.*GUARDIAN_ENV is prod/);
  });

  it('a worker with a setting that breaks every replica', async () => {
    const env = { ...production, GUARDIAN_NETWORK_TYPE: 'local' };
    await expectRefused(runNode('src/entry/worker.ts', { env }), /set GUARDIAN_NETWORK_TYPE to/);
  });

  it('the same under Deno', async () => {
    const env = { ...production, GUARDIAN_ACK_SECRET_PROVIDER: 'none' };
    const refused = startDeno('src/entry/api.deno.ts', { env });
    await expectRefused(refused, /set GUARDIAN_ACK_SECRET_PROVIDER/);
  });

  it('names a variable that cannot be used, and never the value of a secret', async () => {
    const env = { ...production, GUARDIAN_ACK_ECDSA_SECRET: 'not-a-key-0c0c', PORT: 'http' };
    const refused = runNode('src/entry/api.ts', { env });
    await expectRefused(refused, /PORT/);
    expect(refused.output()).not.toContain('not-a-key-0c0c');
  });
});

describe('SC-009: one line tells how a process shares with the others', () => {
  let database: TestDatabase;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-startup-'));
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(async () => {
    await database.drop();
    fs.rmSync(folder, { recursive: true });
  });

  const lines = async (running: RunningProcess) => {
    await running.says(/"msg":"coordination"/);
    return running
      .output()
      .split('\n')
      .filter((line) => line.includes('"msg":"coordination"'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const started = async (env: Record<string, string>) => {
    const api = runNode('src/entry/api.ts', { env: { LOG_LEVEL: 'info', PORT: '0', ...env } });
    await api.says(/api ready at/);
    return api;
  };

  it('shared, on Postgres, in prod', async () => {
    const api = await started({
      ...production,
      DATABASE_URL: database.url,
      GUARDIAN_MAX_REPLICAS: '6',
    });
    expect(await lines(api)).toMatchObject([
      {
        mode: 'shared',
        backend: 'postgres',
        stage: 'prod',
        max_replicas: 6,
        cursor_secret: 'configured',
        rate_limits: 'on',
      },
    ]);
    expect(api.output()).not.toContain(cursorSecret);
  });

  it('a missing cursor secret warns and starts', async () => {
    const api = await started({
      ...production,
      DATABASE_URL: database.url,
      GUARDIAN_DASHBOARD_CURSOR_SECRET: '',
    });
    expect(await lines(api)).toMatchObject([{ mode: 'shared', cursor_secret: 'of this process' }]);
    expect(api.output()).toMatch(/"level":40.*GUARDIAN_DASHBOARD_CURSOR_SECRET is not set/);
  });

  it('a single process, on the embedded database', async () => {
    const api = await started({
      GUARDIAN_NETWORK_TYPE: 'local',
      DATABASE_URL: '',
      CANONRY_DATA_DIR: folder,
      CANONRY_DEV_CHAIN_PORT: '0',
    }).catch((error: Error) => error);
    // an API alone does not migrate: its database is not there yet
    expect(String(api)).toMatch(/migrat/i);
    const all = runNode('src/entry/dev.ts', {
      env: {
        LOG_LEVEL: 'info',
        PORT: '0',
        DATABASE_URL: '',
        CANONRY_DATA_DIR: folder,
        CANONRY_DEV_CHAIN_PORT: '0',
      },
    });
    await all.says(/ready/);
    expect(await lines(all)).toMatchObject([
      { mode: 'single process', backend: 'embedded', stage: 'dev' },
    ]);
  });
});
