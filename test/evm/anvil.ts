/** A real EVM chain from npm, started by path: no install script, no Foundry on the machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const platforms: Record<string, string> = { 'linux x64': '@foundry-rs/anvil-linux-amd64' };

function findBinary(): string | undefined {
  const name = platforms[`${process.platform} ${process.arch}`];
  if (name === undefined) return undefined;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const binary = path.join(path.dirname(manifest), 'bin/anvil');
    return fs.existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

const binary = findBinary();

/** Why there is no chain here, for the name of what is skipped; undefined where there is one. */
export const anvilMissing: string | undefined =
  binary === undefined
    ? `skipped: no anvil from npm for ${process.platform} ${process.arch}`
    : undefined;

/** For the title of a suite that needs the chain: ` (skipped: …)` where there is none. */
export const withoutAnvil = anvilMissing === undefined ? '' : ` (${anvilMissing})`;

export interface Anvil {
  url: string;
  chainId: number;
  stop(): Promise<void>;
}

/** Starts a chain of its own on a free port; a block for each transaction. */
export async function startAnvil(chainId = 31_337): Promise<Anvil> {
  if (binary === undefined) throw new Error(anvilMissing);
  const child = spawn(binary, ['--port', '0', '--chain-id', String(chainId), '--accounts', '1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const atExit = () => child.kill('SIGKILL');
  process.on('exit', atExit);
  const exit = once(child, 'exit');
  let output = '';
  const address = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => reject(new Error(`anvil does not start: ${output}`)));
    child.stdout.on('data', (bytes: Uint8Array) => {
      output += new TextDecoder().decode(bytes);
      const [, listening] = /Listening on (\S+)/.exec(output) ?? [];
      if (listening) resolve(listening);
    });
  });
  return {
    url: `http://${address}`,
    chainId,
    async stop() {
      process.off('exit', atExit);
      child.kill('SIGTERM');
      await exit;
    },
  };
}
