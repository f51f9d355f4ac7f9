/** `npm run cluster` as people use it: processes, signals, and what is left afterwards. */
import fs from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runNode, startNode, type RunningProcess } from '../support/process.ts';
import { openWallet } from '../support/wallet.ts';
import type { FleetDescription } from './control.ts';

const runs = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a fleet', () => {
  let command: RunningProcess;
  let fleet: FleetDescription;
  beforeAll(async () => {
    const args = ['--api', '1', '--deno', '1', '--workers', '1'];
    command = startNode('test/cluster/run.ts', { args });
    const [line] = await command.says(/^\{.*\}$/m);
    fleet = JSON.parse(line) as FleetDescription;
  });
  afterAll(() => void command?.child.kill('SIGTERM'));

  const control = async (method: string, path: string) => {
    const answer = await fetch(`${fleet.control}${path}`, { method });
    expect(answer.ok, await answer.clone().text()).toBe(true);
    return answer.json();
  };
  const now = async () => (await control('GET', '/')) as FleetDescription;
  /** Who answers so many requests, one after the other over one connection. */
  const answering = async (requests: number): Promise<string[]> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const names: string[] = [];
    for (let n = 0; n < requests; n++) names.push(await ask(agent));
    agent.destroy();
    return names.toSorted();
  };
  const ask = (agent: Agent) =>
    new Promise<string>((resolve, reject) => {
      request(`${fleet.url}/status`, { agent }, (answer) => {
        answer
          .resume()
          .on('end', () => resolve(`${answer.statusCode} ${answer.headers['x-answered-by']}`));
      })
        .on('error', reject)
        .end();
    });

  it('says in one line what runs where', () => {
    expect(command.output().trim().split('\n')).toHaveLength(1);
    expect(fleet.apis.map(({ name, runtime }) => [name, runtime])).toEqual([
      ['api-1', 'node'],
      ['api-2', 'deno'],
    ]);
    expect(fleet.workers.map(({ name }) => name)).toEqual(['worker-1']);
    for (const { pid } of [...fleet.apis, ...fleet.workers]) expect(runs(pid)).toBe(true);
    expect(fleet.postgres).toMatch(/^postgres:/);
  });

  it('gives each request of one connection to the next replica', async () => {
    expect(await answering(4)).toEqual(['200 api-1', '200 api-1', '200 api-2', '200 api-2']);
  });

  it('makes a delta canonical, whichever replica answers', async () => {
    const wallet = await openWallet(fleet.url, 'ecdsa');
    await wallet.configure();
    const { newCommitment } = await wallet.push(1);
    await fetch(`${fleet.chain}/accounts/${wallet.accountId}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ commitment: newCommitment }),
    });
    expect(await wallet.settled(1)).toBe('canonical');
  });

  it('adds replicas, and goes on without a killed and a drained one', async () => {
    const [first, second] = fleet.apis;
    expect(await control('POST', '/apis')).toMatchObject({ name: 'api-3', runtime: 'node' });
    expect(new Set(await answering(3)).size).toBe(3);

    // behind the fleet's back, as a crash is
    process.kill(first!.pid, 'SIGKILL');
    await expect.poll(() => runs(first!.pid)).toBe(false);
    expect(await answering(4)).toEqual(['200 api-2', '200 api-2', '200 api-3', '200 api-3']);
    expect(await control('DELETE', '/apis/api-2?mode=drain')).toEqual({ name: 'api-2', exit: 0 });
    expect(runs(second!.pid)).toBe(false);
    expect(await answering(2)).toEqual(['200 api-3', '200 api-3']);

    expect(await control('POST', '/workers')).toMatchObject({ name: 'worker-2' });
    expect(await control('DELETE', '/workers/worker-1?mode=kill')).toEqual({
      name: 'worker-1',
      exit: 'SIGKILL',
    });
    const { apis, workers } = await now();
    expect([...apis, ...workers].map(({ name }) => name)).toEqual(['api-3', 'worker-2']);

    expect(await control('DELETE', '/apis/api-3?mode=kill')).toMatchObject({ exit: 'SIGKILL' });
    expect(await answering(1)).toEqual(['502 undefined']);
    await control('POST', '/apis?runtime=deno');
    expect(await answering(1)).toEqual(['200 api-4']);
  });

  it('refuses what it does not know', async () => {
    for (const [method, path, status] of [
      ['POST', '/apis?runtime=bun', 400],
      ['DELETE', '/apis/api-4?mode=gently', 400],
      ['DELETE', '/apis/worker-2', 404],
    ] as const) {
      expect((await fetch(`${fleet.control}${path}`, { method })).status).toBe(status);
    }
    const wrong = runNode('test/cluster/run.ts', { args: ['--api', 'many'] });
    expect(await wrong.exit).toBe(2);
    expect(wrong.output()).toMatch(/--api is a whole number/);
  });

  it('leaves nothing behind', async () => {
    const { apis, workers } = await now();
    expect(fs.readdirSync(fleet.folder)).not.toEqual([]);
    command.child.kill('SIGTERM');
    expect(await command.exit).toBe(0);
    expect([...apis, ...workers].filter(({ pid }) => runs(pid))).toEqual([]);
    expect(fs.existsSync(fleet.folder)).toBe(false);
    for (const url of [fleet.url, fleet.control, fleet.chain, fleet.postgres]) {
      const { hostname, port } = new URL(url);
      await expect(once(connect(Number(port), hostname), 'connect')).rejects.toThrow();
    }
  });
});
