/** SC-007: who follows the runbook, and does nothing else, has a fleet that serves. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from '../../src/config/settings.ts';
import { startDevChain, type DevChain } from '../../src/dev-chain/start.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { startNode, type RunningProcess } from '../support/process.ts';
import { openWallet } from '../support/wallet.ts';
import { blocksOf, exported, npmRun, runbook, type Block } from './runbook.ts';

describe('the deployment of the runbook', () => {
  let cluster: Cluster;
  let chain: DevChain;
  let admin: postgres.Sql;
  let folder: string;
  const running: RunningProcess[] = [];
  /** As the shell of a person who goes through the blocks. */
  const env: Record<string, string> = {};
  /** What a test has instead of the public network and of machines. */
  const elsewhere: Record<string, string> = { PORT: '0', HOST: '127.0.0.1' };

  beforeAll(async () => {
    // doctor has to find nothing wrong with it
    cluster = await startCluster({ durable: true });
    chain = await startDevChain({ host: '127.0.0.1', port: 0 });
    admin = postgres(cluster.url(), { max: 1, onnotice: () => {} });
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-runbook-'));
    elsewhere['GUARDIAN_MIDEN_RPC_ENDPOINT'] = chain.url;
    elsewhere['CANONRY_DATA_DIR'] = folder;
  });
  afterAll(async () => {
    for (const { child } of running) child.kill('SIGTERM');
    await Promise.all(running.map(({ exit }) => exit));
    await admin.end();
    await chain.close();
    await cluster.remove();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const named = (text: string) =>
    text
      .replaceAll('HOST:5432/DATABASE', `127.0.0.1:${cluster.port}/postgres`)
      .replaceAll('//ADMIN:', '//postgres:')
      .replaceAll('KEYS', path.join(folder, 'keys'));

  /** Goes through a block; commands that stay are left running. */
  const follow = async ({ language, text }: Block) => {
    if (language === 'sql') return void (await admin.unsafe(text));
    expect(language).toBe('bash');
    for (const line of named(text).split('\n')) {
      const variable = exported(line);
      if (variable) {
        env[variable[0]] = variable[1];
        continue;
      }
      const { file, args } = npmRun(line);
      const started = startNode(file, { args, env: { ...env, ...elsewhere } });
      if (/api|worker/.test(file)) {
        running.push(started);
        await started.says(/ready/);
      } else {
        expect(await started.exit, started.output()).toBe(0);
      }
    }
  };

  it('ends in two replicas and two workers that make one client’s delta canonical', async () => {
    const blocks = blocksOf('Two replicas in two minutes');
    const doctor = blocks.pop()!;
    for (const block of blocks) {
      await follow(block);
      if (/npm run (api|worker)/.test(block.text)) await follow(block);
    }
    expect(running).toHaveLength(4);
    const urls = running.flatMap(({ output }) => /ready at (\S+)/.exec(output())?.[1] ?? []);
    expect(urls).toHaveLength(2);
    for (const url of urls) expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const lines = running.filter(({ output }) =>
      /"mode":"shared".*"msg":"coordination"/.test(output()),
    );
    expect(lines).toHaveLength(2);

    const wallet = await openWallet(urls[0]!, 'ecdsa');
    await wallet.configure();
    const { newCommitment } = await wallet.push(1);
    await chain.land(wallet.accountId, newCommitment ?? '');
    wallet.retarget(urls[1]!);
    expect(await wallet.settled(1)).toBe('canonical');
    await follow(doctor);
  });

  it('leaves a fleet that is within its budget of connections', async () => {
    const rows = await admin<{ name: string; connections: number }[]>`
      select application_name as name, count(*)::int as connections from pg_stat_activity
      where application_name in ('canonry-api', 'canonry-worker') group by 1 order by 1`;
    const [api, worker] = rows;
    const most = Number(settings.GUARDIAN_DB_POOL_MAX_SIZE.fallback);
    expect(api?.name).toBe('canonry-api');
    expect(api?.connections).toBeLessThanOrEqual(2 * most);
    // eight and eight
    expect(worker?.connections).toBeGreaterThanOrEqual(2 * 16);
    expect(worker?.connections).toBeLessThanOrEqual(2 * 2 * most);
  });

  it('survives what the runbook does after a restore', async () => {
    for (const block of blocksOf('Backups')) await follow(block);
    const [row] = await admin`select count(*)::int as sessions from guardian.auth_session`;
    expect(row).toEqual({ sessions: 0 });
  });
});

describe('the runbook', () => {
  it('adds up its budget of connections', () => {
    const rows = [
      ...runbook.matchAll(/^\|\s*(\d+) \|\s*(\d+) \|\s*(\d+) \|\s*(\d+) \| (yes|no)/gm),
    ];
    expect(rows.length).toBeGreaterThan(2);
    for (const [, ...cells] of rows) {
      const [api = 0, workers = 0, pool = 0, total] = cells.map(Number);
      expect(total).toBe(api * pool + workers * 2 * pool + 6 + 3);
      expect(cells[4]).toBe((total ?? 0) <= 100 ? 'yes' : 'no');
    }
  });

  it('names settings that exist', () => {
    const names = [...runbook.matchAll(/\b(?:GUARDIAN|CANONRY)_[A-Z_]+\b/g)].map(([name]) => name);
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !Object.hasOwn(settings, name))).toEqual([]);
  });
});
